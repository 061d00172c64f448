"""What staff see: the admin site and its workspaces (contract 11)."""
