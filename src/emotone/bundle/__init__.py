"""Bundles: one ONNX file each that is a whole recogniser. Found, read, checked, asked, adapted; without torch."""

from emotone.bundle.card import FORMAT, KEY, BundleInfo, Metric
from emotone.bundle.loading import ATTENTION, INPUTS, OUTPUTS, Bundle, Outputs

__all__ = ["ATTENTION", "FORMAT", "INPUTS", "KEY", "OUTPUTS", "Bundle", "BundleInfo", "Metric", "Outputs"]
