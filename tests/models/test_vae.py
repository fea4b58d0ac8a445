import math

import torch

from stemnet.models.vae import VAE


def test_shapes_and_a_gradient_for_every_parameter():
    model = VAE(12, 3, hidden=(8, 5))
    x = torch.randn(7, 12, generator=torch.Generator().manual_seed(0))
    # the zero last layers of the perceptrons hide those before them until the first step
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        likelihood, divergence = model(x, torch.ones(7, 3))
        (divergence.sum() - likelihood.sum()).backward()
        optimizer.step()
    assert likelihood.shape == (7,)
    assert divergence.shape == (7, 3)
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_likelihood_and_divergence_are_those_of_gaussians():
    model = VAE(4, 2)
    with torch.no_grad():
        model.log_noise.fill_(math.log(0.3))
        model.encoder[-1].bias[2:].fill_(math.log(0.5))
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    noise = torch.randn(5, 2, generator=torch.Generator().manual_seed(2))
    mean, log_variance = model.encode(x)
    decoded = model.decode(mean + torch.exp(0.5 * log_variance) * noise)
    expected = torch.distributions.Normal(decoded, math.sqrt(0.3)).log_prob(x).sum(1)
    prior = torch.distributions.Normal(0.0, 1.0)
    posterior = torch.distributions.Normal(mean, torch.exp(0.5 * log_variance))
    likelihood, divergence = model(x, noise)
    torch.testing.assert_close(likelihood, expected)
    torch.testing.assert_close(divergence, torch.distributions.kl_divergence(posterior, prior))


def test_fixed_noise_is_not_trained():
    assert not VAE(4, 2, learn_noise=False).log_noise.requires_grad
