"""The Python behind `manifest.yaml`: what YAML cannot say, or was measured to be slow in YAML."""
