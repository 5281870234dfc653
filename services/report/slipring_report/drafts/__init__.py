"""What whoever writes or signs a draft is told."""
