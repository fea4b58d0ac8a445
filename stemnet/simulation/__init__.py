"""From crystal to micrograph, with every column's truth.

The rooms, in the order light would cross them: ``structure``, ``projection``
and ``library`` (crystals as the beam sees them), ``specimen`` and ``growth``
(columns in a field of view), ``defects`` and ``distortions`` (what is wrong with
them, planted through ``quantities``), ``probe``, ``artefacts``, ``microscope`` and
``scan`` (what the instrument does), ``scene`` (everything drawn), ``rendering``
(a batch of scenes to images, in torch), ``simulator`` (the whole chain for one
call). ``priors`` draws random examples, ``worlds`` whole measurements; ``movie``
and ``dataset`` make many images of them.
"""
