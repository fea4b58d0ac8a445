"""Networks and the file they travel in; torch only, no microscopy here."""
