"""What a user enters by: the two commands, their spelling and their configs; Hydra lives here."""
