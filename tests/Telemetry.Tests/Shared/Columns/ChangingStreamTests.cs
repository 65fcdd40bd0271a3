using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;

namespace Telemetry.Tests.Shared.Columns;

/// <summary>
/// Columns that are put as those before them stay about as small as if each were looked at for itself, also where a
/// series changes its ways for a moment or for ever.
/// </summary>
public class ChangingStreamTests
{
    private const int Frames = 80, OddOneIn = 20;

    private readonly Random _random = new(43);
    private readonly double[] _few = [.. Enumerable.Range(1, 12).Select(i => i * 50 / 7.0)];
    private readonly Func<double>[] _kinds;
    private double _walk = 20;
    private int _ramp;

    public ChangingStreamTests() => _kinds =
    [
        () => Math.Round(_walk += (_random.Next(7) - 3) / 10.0, 1),
        () => Math.Round(20 + (10 * Math.Sin(_ramp++ / 100.0)), 1),
        () => _random.Next(1000) / 100.0,
        () => ++_ramp / 100.0,
        () => _few[_random.Next(_few.Length)],
        () => (_walk += _random.Next(5) - 2) / 3,
        () => _walk += _random.NextDouble() - 0.5,
        () => Math.Round(_random.NextDouble() * 20, _random.Next(40) == 0 ? 4 : 2),
        () => _random.Next(2),
        () => _random.Next(4096) / 64.0,
    ];

    [Theory]
    [InlineData(5)]
    [InlineData(12)]
    [InlineData(31)]
    [InlineData(100)]
    [InlineData(400)]
    public void A_frame_now_and_then_that_is_odd_does_not_make_the_others_larger(int count) =>
        AssertSmall(1.5, 1.02, (kind, odd) => Sizes(count, Frames, _ => _random.Next(OddOneIn) == 0 ? odd : kind));

    [Theory]
    [InlineData(5)]
    [InlineData(12)]
    [InlineData(31)]
    [InlineData(100)]
    [InlineData(400)]
    public void A_series_that_changes_for_ever_is_soon_as_small_as_it_can_be(int count) =>
        AssertSmall(1.6, 1.02, (before, behind) => Sizes(
            count, Frames, frame => frame < Frames / 2 ? before : behind, from: (Frames / 2) + 16));

    private void AssertSmall(
        double ratioMax, double allMax, Func<Func<double>, Func<double>, (int With, int Without)> sizes)
    {
        double with = 0, without = 0;
        for (var one = 0; one < _kinds.Length; one++)
        {
            for (var other = 0; other < _kinds.Length; other++)
            {
                var size = sizes(_kinds[one], _kinds[other]);
                Assert.True(
                    size.With <= size.Without * ratioMax, $"{size.With} for {size.Without} bytes: {one} and {other}");
                with += size.With;
                without += size.Without;
            }
        }

        Assert.InRange(with / without, 0.9, allMax);
    }

    /// <summary>The bytes of frames of one column each, from one on, with plans and without.</summary>
    private (int With, int Without) Sizes(int count, int frames, Func<int, Func<double>> kindOf, int from = 0)
    {
        (_walk, _ramp) = (20, 0);
        var plans = new ColumnPlans();
        var sizes = (With: 0, Without: 0);
        for (var frame = 0; frame < frames; frame++)
        {
            var kind = kindOf(frame);
            var batch = new ReadingBatch(count);
            for (var i = 0; i < count; i++)
            {
                batch.Add(0, i * 1_000_000L, kind());
            }

            var (with, without) = (Bytes(batch, plans), Bytes(batch, null));
            sizes = frame < from ? sizes : (sizes.With + with, sizes.Without + without);
        }

        return sizes;
    }

    private static int Bytes(ReadingBatch batch, ColumnPlans? plans)
    {
        var writer = new WireWriter();
        CompactColumns.Write(writer, batch, [.. Enumerable.Range(0, batch.Count)], [MetricType.Float], plans);
        return writer.Length;
    }
}
