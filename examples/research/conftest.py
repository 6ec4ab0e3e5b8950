pytest_plugins = ["continuo.testing.fixtures"]
