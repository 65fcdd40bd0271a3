using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Windows;

namespace Telemetry.Tests.Storage.Windows;

public sealed class WindowPartTests
{
    private static readonly WindowSpan Window = new(-60_000_000, 60);
    private static readonly SeriesEntry Celsius = StoreSteps.Numbered(MetricType.Float, 2);
    private static readonly SeriesEntry Integers = StoreSteps.Numbered(MetricType.Int);

    public static TheoryData<MetricType, byte> Kinds => new()
    {
        { MetricType.Float, 2 }, { MetricType.Float, 15 }, { MetricType.Float, SeriesDefinition.DecimalsUnknown },
        { MetricType.Int, 255 }, { MetricType.UInt, 255 }, { MetricType.Bool, 255 }, { MetricType.Text, 255 },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Fold_in_order_equals_a_plain_computation(MetricType type, byte decimals) =>
        ForSeeds(type, decimals, (random, readings, series) =>
        {
            var part = Fold(series, readings);
            Assert.Equal("", new PlainWindow(type, readings).Differences(part));
            Assert.False(part.IsUnordered);
        });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Merge_of_any_parts_in_any_order_equals_a_plain_computation(MetricType type, byte decimals) =>
        ForSeeds(type, decimals, (random, readings, series) =>
        {
            var parts = readings.GroupBy(_ => random.Next(5)).Select(g => Fold(series, Ordered(random, g))).ToArray();
            random.Shuffle(parts);

            var merged = new WindowPart().Begin(series, Window);
            foreach (var part in parts)
            {
                merged.Merge(part);
            }

            Assert.Equal("", new PlainWindow(type, readings).Differences(merged));
        });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Adding_to_a_merge_equals_a_plain_computation(MetricType type, byte decimals) =>
        ForSeeds(type, decimals, (random, readings, series) =>
        {
            var cut = random.Next(readings.Count);
            var part = new WindowPart().Begin(Fold(series, readings[..cut]));
            part.Merge(Fold(series, []));
            foreach (var reading in readings[cut..])
            {
                part.Add(reading.Time, reading.Flags, reading.Bits, reading.Hash);
            }

            Assert.Equal("", new PlainWindow(type, readings).Differences(part));
            Assert.False(part.IsUnordered);
        });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Runs_of_readings_give_bit_for_bit_what_they_give_one_by_one(MetricType type, byte decimals) =>
        ForSeeds(type, decimals, (random, readings, series) =>
        {
            PlainReading[] all = [.. Ordered(random, readings)];
            var span = Window with { HasQuantiles = random.Next(4) == 0 };
            var part = new WindowPart().Begin(series, span);
            for (int at = 0, next; at < all.Length; at = next)
            {
                next = random.Next(at, all.Length) + 1;
                var run = all[at..next];
                part.Add(
                    [.. run.Select(r => r.Time)], [.. run.Select(r => r.Flags)], [.. run.Select(r => r.Bits)],
                    [.. run.Select(r => r.Hash)]);
            }

            var one = Fill(new WindowPart().Begin(series, span), all);
            Assert.Equal(StoredPart.Of(one), StoredPart.Of(part));
            Assert.Equal(Exactly(one), Exactly(part));
        });

    [Fact]
    public void Merge_leaves_the_other_part_as_it_was()
    {
        var (exact, doubles) = (Fold(Celsius, Floats(1, 2)), Fold(Celsius, Floats(0.1 + 0.2)));
        var (before, other) = (StoredPart.Of(exact), StoredPart.Of(doubles));

        new WindowPart().Begin(doubles).Merge(exact);
        new WindowPart().Begin(exact).Merge(doubles);

        Assert.Equal((before, other), (StoredPart.Of(exact), StoredPart.Of(doubles)));
    }

    [Fact]
    public void Sum_of_integers_is_exact_beyond_64_bits_and_back()
    {
        var part = Fold(Integers, Ints(long.MaxValue, long.MaxValue, long.MaxValue));
        Assert.Null(part.ExactSum);
        Assert.Equal(3.0 * long.MaxValue, part.Sum);

        part.Merge(Fold(Integers, Ints(long.MinValue, long.MinValue, long.MinValue, 7)));

        Assert.Equal(4, part.ExactSum);
    }

    [Fact]
    public void One_value_that_is_no_integer_of_the_decimals_makes_all_doubles()
    {
        var part = Fold(Celsius, Floats(21.37, -3.5));
        Assert.Equal((true, (byte)2, 1787L), (part.IsExact, part.Decimals, part.ExactSum));

        part.Add(0, ReadingFlags.None, BitConverter.DoubleToUInt64Bits(1.005), 0);

        Assert.Equal((false, null), (part.IsExact, part.ExactSum));
        Assert.Equal(
            (-3.5, 21.37, 21.37, 1.005),
            (Double(part.MinBits), Double(part.MaxBits), Double(part.FirstBits), Double(part.LastBits)));
        Assert.Equal(18.875, part.Sum, 1e-12);
    }

    // A series' decimals may be described anew: then its parts have values of two scales.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Parts_with_other_decimals_are_merged_as_doubles(bool withoutValues)
    {
        var finer = StoreSteps.Numbered(MetricType.Float, 3);
        var part = withoutValues ? new WindowPart().Begin(Celsius, Window) : Fold(Celsius, Floats(21.37));
        part.Merge(Fold(finer, Floats(1.234, 5)));

        Assert.False(part.IsExact);
        Assert.Equal(withoutValues ? 6.234 : 27.604, part.Sum, 1e-12);
        Assert.Equal((1.234, 5.0), (Double(part.MinBits), Double(part.LastBits)));
    }

    [Fact]
    public void Negative_zero_is_kept_as_a_double()
    {
        var part = Fold(Celsius, Floats(-0.0));

        Assert.False(part.IsExact);
        Assert.Equal(1ul << 63, part.MinBits);
    }

    [Fact]
    public void Of_values_at_one_time_the_greatest_is_the_last_and_the_least_the_first()
    {
        foreach (var order in (long[][])[[1, 5, 3], [5, 3, 1], [3, 5, 1]])
        {
            var part = new WindowPart().Begin(Integers, Window);
            foreach (var value in order)
            {
                part.Add(-7, ReadingFlags.None, (ulong)value, 0);
            }

            Assert.Equal((1ul, 5ul, 0.0), (part.FirstBits, part.LastBits, part.Integral));
            Assert.False(part.IsUnordered);
        }
    }

    [Fact]
    public void Integral_holds_each_value_until_the_next_one_also_across_parts()
    {
        var (early, late) = (new WindowPart().Begin(Integers, Window), new WindowPart().Begin(Integers, Window));
        early.Add(-50_000_000, ReadingFlags.None, 2, 0);
        early.Add(-40_000_000, ReadingFlags.None, 4, 0);
        late.Add(-10_000_000, ReadingFlags.None, 6, 0);
        late.Add(-5_000_000, ReadingFlags.None, 8, 0);

        foreach (var (one, two) in new[] { (early, late), (late, early) })
        {
            var merged = new WindowPart().Begin(one);
            merged.Merge(two);
            Assert.Equal((20.0 + 120 + 30, false), (merged.Integral, merged.IsUnordered));
        }
    }

    [Fact]
    public void Parts_that_overlap_in_time_or_came_out_of_order_have_no_integral()
    {
        var part = Fold(Integers, Ints(1, 2, 3));
        part.Merge(Fold(Integers, Ints(4, 5)));
        Assert.True(part.IsUnordered);
        var copy = new WindowPart().Begin(part);
        Assert.True(copy.IsUnordered);

        copy.Begin(Integers, Window).Add(5, ReadingFlags.None, 1, 0);
        Assert.False(copy.IsUnordered);
        copy.Add(4, ReadingFlags.None, 1, 0);
        Assert.True(copy.IsUnordered);
    }

    [Fact]
    public void Part_that_is_used_again_has_nothing_of_before()
    {
        var used = Fold(Celsius, Floats(0.1 + 0.2, -0.0, double.PositiveInfinity));
        used.IsLate = true;

        Assert.Equal(
            StoredPart.Of(Fold(Integers, Ints(1, 2))), StoredPart.Of(Fill(used.Begin(Integers, Window), Ints(1, 2))));
    }

    [Fact]
    public void Values_are_counted_by_size_only_where_all_parts_do()
    {
        var (on, readings) = (Window with { HasQuantiles = true }, Floats(1, 2, 3, 4));
        var part = Fill(new WindowPart().Begin(Celsius, on), readings);
        var bytes = Bytes(part);
        Assert.Equal(bytes, Bytes(new WindowPart().Begin(part)));
        var halves = Fill(new WindowPart().Begin(Celsius, on), readings[..2]);
        halves.Merge(Fill(new WindowPart().Begin(Celsius, on), readings[2..]));
        Assert.Equal(bytes, Bytes(halves));
        // A part without values changes nothing.
        halves.Merge(new WindowPart().Begin(Celsius, Window));
        Assert.Equal(bytes, Bytes(halves));

        halves.Merge(Fill(new WindowPart().Begin(Celsius, Window), readings[..1]));
        Assert.Null(halves.Sketch);
        Assert.Null(Fill(part.Begin(Celsius, Window), readings).Sketch);
        Assert.Equal(bytes, Bytes(Fill(part.Begin(Celsius, on), readings)));
        Assert.Null(new WindowPart().Begin(StoreSteps.Numbered(MetricType.Text), on).Sketch);
    }

    [Fact]
    public void Folding_allocates_nothing_with_and_without_counts_by_size()
    {
        var readings = Floats([.. Enumerable.Range(0, 500).Select(i => 20 + (i / 100.0))]);
        foreach (var span in (WindowSpan[])[Window, Window with { HasQuantiles = true }])
        {
            var part = Fill(new WindowPart().Begin(Celsius, span), readings);
            var before = GC.GetAllocatedBytesForCurrentThread();
            part.Begin(Celsius, span);
            foreach (var reading in readings)
            {
                part.Add(reading.Time, reading.Flags, reading.Bits, reading.Hash);
            }

            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    // A double that is equal may have other bits.
    private static object Exactly(WindowPart part) => (
        Bits(part.Sum), Bits(part.SquaredDeviations), Bits(part.Integral), part.MinBits, part.MaxBits,
        (part.FirstBits, part.LastBits, part.FirstTime, part.LastTime, part.IsUnordered, part.HashSum));

    private static ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);

    private static byte[] Bytes(WindowPart part)
    {
        var bytes = new byte[QuantileSketch.BytesMax];
        return bytes[..part.Sketch!.WriteTo(bytes)];
    }

    private static void ForSeeds(MetricType type, byte decimals, Action<Random, List<PlainReading>, SeriesEntry> test)
    {
        var series = StoreSteps.Numbered(type, decimals);
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            test(random, new RandomWindow(random).Readings(series, Window, random.Next(1, 40)), series);
        }
    }

    private static IEnumerable<PlainReading> Ordered(Random random, IEnumerable<PlainReading> readings)
    {
        var all = readings.ToArray();
        if (random.Next(2) == 0)
        {
            random.Shuffle(all);
        }

        return all;
    }

    private static WindowPart Fold(SeriesEntry series, IEnumerable<PlainReading> readings) =>
        Fill(new WindowPart().Begin(series, Window), readings);

    private static WindowPart Fill(WindowPart part, IEnumerable<PlainReading> readings)
    {
        foreach (var reading in readings)
        {
            part.Add(reading.Time, reading.Flags, reading.Bits, reading.Hash);
        }

        return part;
    }

    private static PlainReading[] Floats(params double[] values) =>
    [
        .. values.Select(
            (v, i) => new PlainReading(i - 100, ReadingFlags.None, BitConverter.DoubleToUInt64Bits(v), 1)),
    ];

    private static PlainReading[] Ints(params long[] values) =>
        [.. values.Select((v, i) => new PlainReading(i - 100, ReadingFlags.None, (ulong)v, 1))];

    private static double Double(ulong bits) => BitConverter.UInt64BitsToDouble(bits);
}
