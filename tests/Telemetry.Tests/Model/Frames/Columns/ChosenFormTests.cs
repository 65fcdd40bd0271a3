using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>
/// The form that a writer chooses is near the smallest, also where the first values do not tell what the others are.
/// </summary>
public class ChosenFormTests
{
    private const int Count = 8192;

    /// <summary>A machine's cycle: 360 values, each new at first, then the same again.</summary>
    [Fact]
    public void Values_that_come_again_only_after_many_others_are_put_once() => Assert.InRange(
        Bytes(MetricType.Float, i => BitConverter.DoubleToUInt64Bits(20 + (10 * Math.Sin(i % 360 * Math.PI / 180)))),
        1,
        5_000);

    /// <summary>Steps of a converter: 256 values of 17 digits, in no order.</summary>
    [Fact]
    public void Noise_of_few_values_of_many_digits_takes_their_places()
    {
        var random = new Random(31);
        Assert.InRange(
            Bytes(MetricType.Float, _ => BitConverter.DoubleToUInt64Bits(random.Next(256) / 255.0 * 5)), 1, 12_000);
    }

    /// <summary>Four values take two bits each, whatever the size of one of them.</summary>
    [Fact]
    public void Marks_of_a_missing_value_do_not_widen_the_others()
    {
        var random = new Random(32);
        Assert.InRange(
            Bytes(MetricType.Int, _ => (ulong)(random.Next(10) == 0 ? -9999 : 60_000 + random.Next(3))), 1, 4_000);
    }

    /// <summary>A dictionary would hold each of them as well, and places beside.</summary>
    [Fact]
    public void Decimals_among_which_a_few_are_none_do_not_become_a_dictionary()
    {
        var random = new Random(37);
        var value = 200L;
        int none = 0, plain = Bytes(MetricType.Float, _ => Decimal(value += random.Next(-9, 10)));
        var mixed = Bytes(MetricType.Float, i =>
        {
            if (i % 50 != 7)
            {
                return Decimal(value += random.Next(-9, 10));
            }

            none++;
            return BitConverter.DoubleToUInt64Bits(random.NextDouble());
        });

        Assert.InRange(mixed, 1, plain + (none * DecimalScale.ExceptionBits / 8 * 1.1));

        // Not on the scale that columns begin with, whose decimals would be kept.
        static ulong Decimal(long hundredths) => BitConverter.DoubleToUInt64Bits(hundredths / 100.0);
    }

    /// <summary>Averages of a slow sensor: few differ, and most are no decimals of a few places.</summary>
    [Fact]
    public void Averages_that_come_again_take_their_places()
    {
        var random = new Random(38);
        var tenths = 200L;
        Assert.InRange(
            Bytes(MetricType.Float, i =>
            {
                tenths = Math.Clamp(tenths + (random.Next(4) == 0 ? random.Next(-1, 2) : 0), 190, 210);
                return BitConverter.DoubleToUInt64Bits(tenths / 10.0 / 3);
            }),
            1,
            1_600);
    }

    /// <summary>Zeros are on every scale.</summary>
    [Fact]
    public void Zeros_between_decimals_do_not_change_the_scale()
    {
        const int count = 8;
        var batch = new ReadingBatch(3 * count);
        var random = new Random(39);
        for (var series = 0; series < 3; series++)
        {
            for (var i = 0; i < count; i++)
            {
                var value = series == 1 ? 0 : random.Next(1_000_001, 1_001_000) / 10_000.0;
                batch.Add(series, i * 1_000_000L, BitConverter.DoubleToUInt64Bits(value));
            }
        }

        int[] order = [.. Enumerable.Range(0, batch.Count)];
        MetricType[] types = [MetricType.Float, MetricType.Float, MetricType.Float];
        var decimals = new WireWriter();
        CompactColumns.Write(decimals, batch, [.. order[..count], .. order[(2 * count)..]], types);
        var all = new WireWriter();
        CompactColumns.Write(all, batch, order, types);

        // Series, count, times, flags, form, number, prediction and exceptions: a bit or a few each.
        Assert.InRange(all.Length - decimals.Length, 1, 3);
    }

    /// <summary>Large residuals among small ones are escaped; the others keep their bits.</summary>
    [Fact]
    public void Large_residuals_in_a_block_of_small_ones_are_escaped()
    {
        var block = new ulong[RiceBlocks.BlockLength];
        for (var i = 0; i < block.Length; i++)
        {
            block[i] = i % 5 == 0 ? 139_000UL + (ulong)i : (ulong)(i % 4);
        }

        const int width = 18, shift = 1;
        var escaped = 0;
        foreach (var value in block)
        {
            escaped += value >> shift < RiceBlocks.EscapeZeros
                ? (int)(value >> shift) + 1 + shift : RiceBlocks.EscapeZeros + width;
        }

        Assert.InRange(RiceBlocks.Cost(block, width, out _), 1, escaped);
    }

    /// <summary>As where a value is read twice as often as it changes.</summary>
    [Theory]
    [InlineData(14)]
    [InlineData(20)]
    [InlineData(30)]
    [InlineData(40)]
    public void Zeros_between_large_residuals_take_a_bit_or_two(int width)
    {
        var random = new Random(34);
        long least = 0, chosen = 0;
        for (var blocks = 0; blocks < 50; blocks++)
        {
            var block = new ulong[RiceBlocks.BlockLength];
            for (var i = 1; i < block.Length; i += 2)
            {
                block[i] = (ulong)random.NextInt64(1L << width);
            }

            least += Enumerable.Range(0, width).Min(shift => block.Sum(value =>
                value >> shift < RiceBlocks.EscapeZeros
                    ? (int)(value >> shift) + 1 + shift : RiceBlocks.EscapeZeros + width));
            chosen += RiceBlocks.Cost(block, width, out _);
        }

        Assert.InRange(chosen, 1, least * 1.02);
    }

    /// <summary>A grid from the first to the last would spread the gap over all times between.</summary>
    [Theory]
    [InlineData(1, 60_000)]
    [InlineData(60, 60_000)]
    [InlineData(3_600, 60_000)]
    [InlineData(3_600, 1_000)]
    public void Regular_times_with_a_gap_stay_small_behind_times_that_jitter(int gapSeconds, int jitterMax)
    {
        const int count = 400;
        const long second = 1_000_000;
        var random = new Random(36);
        var both = new ReadingBatch(2 * count);
        for (var i = 0; i < count; i++)
        {
            // The first and the last in the middle of the others: a grid is best.
            both.Add(0, (i * second) + (i is 0 or count - 1 ? 0 : random.Next(-jitterMax, jitterMax)), 0);
        }

        for (var i = 0; i < count; i++)
        {
            both.Add(1, ((i < 100 ? i : i + gapSeconds) * second) + 1, 0);
        }

        int[] order = [.. Enumerable.Range(0, 2 * count)];
        MetricType[] types = [MetricType.Int, MetricType.Int];
        var first = new WireWriter();
        CompactColumns.Write(first, both, order.AsSpan(0, count), types);
        var writer = new WireWriter();
        CompactColumns.Write(writer, both, order, types);

        Assert.InRange(writer.Length - first.Length, 1, 30);
    }

    [Fact]
    public void Zeros_that_fill_a_vector_count_nothing_in_an_estimate()
    {
        ulong[] values = [1_000_000, 3, 0, 0, 0, 0, 0, 0];

        Assert.Equal(RiceBlocks.EstimatedBits([.. values, .. new ulong[8]], 8), RiceBlocks.EstimatedBits(values, 8));
    }

    private static int Bytes(MetricType type, Func<int, ulong> value)
    {
        var batch = new ReadingBatch(Count);
        var order = new int[Count];
        for (var i = 0; i < Count; i++)
        {
            batch.Add(0, i * 1_000_000L, value(i));
            order[i] = i;
        }

        var writer = new WireWriter();
        CompactColumns.Write(writer, batch, order, [type]);
        return writer.Length;
    }
}
