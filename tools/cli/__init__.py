"""The `clotho` program; commands/ has one module for each command."""
