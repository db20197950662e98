"""The reference pages, drawn from the models and the registries: ``python -m console.reference``.

A page that is written by hand is wrong after the next change; these are compared with what is drawn.
"""
