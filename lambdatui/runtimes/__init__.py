"""How each managed runtime is started."""
