"""Experiments: the YAML, its steps and expectations, reports."""
