"""What the features need of the world, as protocols; storage/ implements them, bootstrap.py chooses."""
