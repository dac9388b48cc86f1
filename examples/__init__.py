"""Programs that show what hubmodule is for."""
