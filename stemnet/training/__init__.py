"""From simulations to a weights file; the only room that imports lightning."""
