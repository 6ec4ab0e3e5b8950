"""Activities: they touch the world. One class a concern, its resources as fields."""
