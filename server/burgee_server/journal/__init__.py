"""What the journal keeps."""
