"""What is wrong with a crystal: each function takes a `Specimen` and returns one."""
