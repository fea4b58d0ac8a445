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
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters() if p.requires_grad)
    assert {name for name, p in model.named_parameters() if not p.requires_grad} == {"offset"}


def test_likelihood_and_divergence_are_those_of_gaussians():
    model = VAE(4, 2)
    with torch.no_grad():
        model.log_noise.fill_(math.log(0.3))
        model.encoder[-1].bias[2:].fill_(math.log(0.5))
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    noise = torch.randn(5, 2, generator=torch.Generator().manual_seed(2))
    nothing, zero = torch.zeros(5, 0), torch.zeros(4)
    mean, log_variance = model.encode(x, nothing, zero)
    decoded = model.decode(mean + torch.exp(0.5 * log_variance) * noise, nothing, zero)
    expected = torch.distributions.Normal(decoded, math.sqrt(0.3)).log_prob(x).sum(1)
    prior = torch.distributions.Normal(0.0, 1.0)
    posterior = torch.distributions.Normal(mean, torch.exp(0.5 * log_variance))
    likelihood, divergence = model(x, noise)
    torch.testing.assert_close(likelihood, expected)
    torch.testing.assert_close(divergence, torch.distributions.kl_divergence(posterior, prior))


def test_classes_are_summed_over_and_known_ones_are_told():
    torch.manual_seed(0)
    model = VAE(4, 2, n_classes=3)
    with torch.no_grad():
        model.offset.copy_(torch.randn(3, 4))
    x, noise = torch.randn(5, 4), torch.randn(5, 2)
    label = torch.tensor([-1, -1, 0, 2, 1.0])
    rows = torch.cat([x, label[:, None]], dim=1)
    likelihood, divergence = model(rows, noise)
    each, cost = model.of_each_class(x, noise, torch.zeros(5, 0))
    bound = each - cost.sum(dim=2)
    expected = torch.where(label < 0, bound.logsumexp(1), bound[range(5), label.long()]) - math.log(3)
    torch.testing.assert_close(likelihood - divergence.sum(dim=1), expected)
    probability = model.probability(rows, 2)
    torch.testing.assert_close(probability.sum(dim=1), torch.ones(5))


def test_shares_have_the_likelihood_of_a_coin():
    model = VAE(4, 2, likelihood="bernoulli")
    assert not model.log_noise.requires_grad
    with torch.no_grad():
        model.offset.copy_(torch.tensor([[0.0, 1.0, -1.0, 3.0]]))
        model.decoder_linear.weight.zero_()
        model.decoder_linear.bias.zero_()
    x = torch.tensor([[0.0, 1.0, 1.0, 0.0]])
    likelihood, _ = model(x, torch.zeros(1, 2))
    expected = torch.distributions.Bernoulli(logits=model.offset).log_prob(x).sum()
    torch.testing.assert_close(likelihood[0], expected)
