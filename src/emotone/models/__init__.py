"""The models: what recipes say about them, and the networks and estimators built from that."""
