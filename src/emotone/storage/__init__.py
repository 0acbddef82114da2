"""Storage: a fitted system in a folder, and back."""

from emotone.storage.folder import load_system, read_origin, restore_network, save_system

__all__ = ["load_system", "read_origin", "restore_network", "save_system"]
