"""What is generated of docs/."""
