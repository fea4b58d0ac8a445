"""From crystal to micrograph, with every column's truth.

The rooms, in the order light would cross them: ``crystal`` (projected unit
cells), ``specimen`` (columns in a field of view), ``defects`` and
``distortions`` (what is wrong with them), ``probe``, ``scan`` and ``detector``
(what the microscope does), ``scene`` (one random example: everything drawn),
``rendering`` (a batch of scenes to images, in torch), ``simulator`` (the whole
chain for one call).
"""
