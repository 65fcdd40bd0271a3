using Telemetry.Model.Identity;
using Telemetry.Runtime;

namespace Telemetry.Tests.Runtime;

/// <summary>Chance from the operating system.</summary>
public sealed class SystemRandomTests
{
    private const int Draws = 20_000;
    private static readonly SystemRandom Random = SystemRandom.Instance;

    // 31 bits of seed would repeat some nine times in so many draws.
    [Fact]
    public void Ids_of_many_processes_never_repeat() =>
        Assert.Equal(200_000, Enumerable.Range(0, 200_000).Select(_ => Random.NextId()).Distinct().Count());

    [Fact]
    public void Every_bit_of_an_id_is_chance()
    {
        var ones = new int[64];
        for (var i = 0; i < Draws; i++)
        {
            var id = Random.NextId();
            for (var bit = 0; bit < 64; bit++)
            {
                ones[bit] += (int)((id >> bit) & 1);
            }
        }

        Assert.All(ones, count => Assert.InRange(count, Draws * 0.45, Draws * 0.55)); // 14 standard deviations
    }

    [Fact]
    public void Ids_of_a_seeded_chance_repeat_with_its_seed() =>
        Assert.Equal(new Random(3).NextId(), new Random(3).NextId());

    [Fact]
    public void Numbers_lie_within_their_bounds_and_reach_them()
    {
        Assert.Equal([-1, 0, 1], Draw(() => Random.Next(-1, 2)));
        Assert.Equal([0, 1, 2], Draw(() => Random.Next(3)));
        Assert.Equal([7L], Draw(() => Random.NextInt64(7, 7)));
        Assert.All(Draw(Random.NextDouble), n => Assert.InRange(n, 0, 0.999_999_999_999_999_9));
        Assert.All(Draw(Random.NextSingle), n => Assert.InRange(n, 0, 0.999_999_95f));
        Assert.All(Draw(() => Random.Next()), n => Assert.InRange(n, 0, int.MaxValue - 1));
        Assert.Contains(Draw(() => Random.NextInt64(long.MinValue, long.MaxValue)), n => n < 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => Random.NextInt64(2, 1));
    }

    [Fact]
    public void Bytes_are_filled()
    {
        var bytes = new byte[64];
        Random.NextBytes(bytes);

        Assert.NotEqual(new byte[64], bytes);
    }

    private static T[] Draw<T>(Func<T> draw) =>
        [.. Enumerable.Range(0, 2000).Select(_ => draw()).Distinct().Order()];
}
