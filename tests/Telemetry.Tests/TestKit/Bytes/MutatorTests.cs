using Telemetry.TestKit.Bytes;

namespace Telemetry.Tests.TestKit.Bytes;

public sealed class MutatorTests
{
    private static readonly byte[] Original = [.. Enumerable.Range(0, 40).Select(i => (byte)i)];

    [Fact]
    public void Same_seed_makes_the_same_damage()
    {
        Assert.Equal(new Mutator(new Random(7)).Mutate(Original), new Mutator(new Random(7)).Mutate(Original));
    }

    [Fact]
    public void Damage_is_frequent_varied_and_bounded()
    {
        var mutator = new Mutator(new Random(1));

        var damaged = Enumerable.Range(0, 2000).Select(_ => mutator.Mutate(Original)).ToList();

        Assert.True(damaged.Select(Convert.ToHexString).Distinct().Count() > 1800);
        Assert.Contains(damaged, bytes => bytes.Length < Original.Length);
        Assert.Contains(damaged, bytes => bytes.Length > Original.Length);
        Assert.Contains(damaged, bytes => bytes.Length == Original.Length && !bytes.SequenceEqual(Original));
        Assert.All(damaged, bytes => Assert.InRange(bytes.Length, 0, Original.Length + 128));
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { 0x7F, 0xFF, 0xFF, 0xFF })]
    public void Telling_lengths_occur(byte[] field)
    {
        var mutator = new Mutator(new Random(1));

        Assert.Contains(
            Enumerable.Range(0, 20_000), _ => mutator.Mutate(Original).AsSpan().IndexOf(field) >= 0);
    }

    [Fact]
    public void Nothing_becomes_something()
    {
        Assert.NotEmpty(new Mutator(new Random(1)).Mutate([]));
    }
}
