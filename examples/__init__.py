"""What users copy from: inputs for the demo, a shop with three services, a folder of knowledge."""
