using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;
using Telemetry.Testing.Readings;

namespace Telemetry.Tests.Shared.Columns;

/// <summary>A column is put as the one before, for so long as that suits; else as if there were no plans.</summary>
public class ColumnPlansTests
{
    private const int Count = 100;

    /// <summary>A plan is used 0, 1, 3, 7 and 15 times behind a look: the last one is the 16th column.</summary>
    private const int UntilTrusted = 16, Uses = 15;

    private readonly ColumnPlans _plans = new();
    private readonly Random _random = new(41);

    [Fact]
    public void The_first_columns_are_put_as_without_plans() =>
        AssertAsWithout(MetricType.Int, Noise(100), Noise(1_000_000), Counter(7));

    [Fact]
    public void A_plan_is_used_as_often_again_as_it_was_found_best()
    {
        var walk = Walk(50);
        foreach (var uses in (int[])[0, 1, 3, 7, 15, 15])
        {
            // Each begins with a look, which finds the walk's plan again; then come columns that it suits less.
            Write(MetricType.Int, walk);
            for (var use = 0; use < uses; use++)
            {
                Assert.NotEqual(Bytes(null, MetricType.Int, Counter(30)), Bytes(_plans, MetricType.Int, Counter(30)));
            }
        }
    }

    [Fact]
    public void An_odd_column_decides_nothing()
    {
        Trust(MetricType.Int, Walk(50));
        Write(MetricType.Int, Counter(3_000));

        AssertAsWithout(MetricType.Int, Walk(50), Counter(30), Walk(50));
    }

    [Fact]
    public void A_column_is_put_as_the_one_before_until_that_was_done_often()
    {
        Trust(MetricType.Int, Walk(50));
        for (var use = 0; use < Uses; use++)
        {
            var counter = Counter(30);
            var without = Bytes(null, MetricType.Int, counter).Length;
            Assert.InRange(Write(MetricType.Int, counter), without + 50, without + 100);
        }

        AssertAsWithout(MetricType.Int, Counter(30));
    }

    [Theory]
    [InlineData(MetricType.Int, 1)]
    [InlineData(MetricType.UInt, 1)]
    [InlineData(MetricType.Float, 100.0)]
    public void Columns_that_grow_are_put_as_without_plans(MetricType type, double scale)
    {
        for (var range = 100; range < 100_000_000; range *= 9)
        {
            Trust(type, Scaled(Noise(range)));
            AssertAsWithout(type, Scaled(Noise(9 * range)));
        }

        ulong[] Scaled(ulong[] values) => type != MetricType.Float
            ? values : [.. values.Select(value => BitConverter.DoubleToUInt64Bits(value / scale))];
    }

    [Fact]
    public void A_column_that_does_not_go_on_as_before_is_put_as_without_plans()
    {
        Trust(MetricType.Int, Walk(50));

        AssertAsWithout(MetricType.Int, Counter(3_000));
    }

    [Fact]
    public void A_column_that_shrinks_is_the_last_of_its_plan()
    {
        Trust(MetricType.Int, Walk(30));
        Write(MetricType.Int, Walk(6));

        AssertAsWithout(MetricType.Int, Counter(6));
    }

    [Fact]
    public void Another_type_or_many_more_values_are_put_as_without_plans()
    {
        Trust(MetricType.Int, Walk(50));
        AssertAsWithout(MetricType.UInt, Counter(30));
        Trust(MetricType.Int, Walk(50));
        AssertAsWithout(MetricType.Int, [.. Counter(30), .. Counter(30).Select(value => value + (30 * Count))]);
    }

    [Fact]
    public void Decimals_off_the_scale_are_put_as_without_plans()
    {
        Trust(MetricType.Float, Hundredths(Walk(50)));

        AssertAsWithout(MetricType.Float, [.. Walk(50).Select(value => BitConverter.DoubleToUInt64Bits(value / 1e4))]);
    }

    [Fact]
    public void Plain_values_that_become_few_are_put_as_a_dictionary()
    {
        var many = Noise(1 << 30);
        Trust(MetricType.Int, many);

        AssertAsWithout(MetricType.Int, [.. Noise(20).Select(place => many[place])]);
    }

    [Fact]
    public void A_new_dictionary_is_put_again_three_times_though_plain_values_take_less()
    {
        Write(MetricType.Float, Sevenths(Noise(20)));
        var ramp = Hundredths([.. Counter(1).Select(value => value / 2)]);
        var without = Bytes(null, MetricType.Float, ramp).Length;

        Assert.All(
            (int[])[1, 2, 3], _ => Assert.InRange(Write(MetricType.Float, ramp), without + 1, without + 20));
        AssertAsWithout(MetricType.Float, ramp);
    }

    [Fact]
    public void A_dictionary_of_too_many_values_is_put_as_without_plans()
    {
        Write(MetricType.Float, Sevenths(Noise(20)));

        AssertAsWithout(MetricType.Float, Sevenths(Noise(1_000_000)));
    }

    [Fact]
    public void A_dictionary_that_goes_on_is_put_as_without_plans()
    {
        var sevenths = Sevenths(Noise(20));

        AssertAsWithout(MetricType.Float, sevenths, sevenths);
    }

    [Fact]
    public void A_dictionary_whose_values_leave_the_scale_is_put_as_without_plans()
    {
        var few = Noise(1 << 30)[..20];
        var places = Noise(few.Length);
        Write(MetricType.Float, Over(100));

        AssertAsWithout(MetricType.Float, Over(10_000));

        ulong[] Over(double scale) =>
            [.. places.Select(place => BitConverter.DoubleToUInt64Bits(few[place] / scale))];
    }

    [Theory]
    [InlineData(MetricType.Int)]
    [InlineData(MetricType.Float)]
    public void A_dictionary_larger_than_plain_values_is_put_as_these(MetricType type)
    {
        Write(type, Values([.. Noise(2).Select(value => 63 * value)]));

        AssertAsWithout(type, Values(Noise(50)));

        ulong[] Values(ulong[] values) => type == MetricType.Float ? Hundredths(values) : values;
    }

    [Fact]
    public void What_would_not_fit_is_put_as_without_plans()
    {
        Trust(MetricType.Int, Walk(50));
        var counter = Counter(30);
        var without = Bytes(null, MetricType.Int, counter);

        Assert.Equal(without, Bytes(_plans, MetricType.Int, counter, bytesMax: without.Length + 10));
        Assert.NotEqual(without, Bytes(_plans, MetricType.Int, counter, bytesMax: without.Length * 10));
    }

    [Theory]
    [InlineData(10, 10, 1)]
    [InlineData(100, 1, 1)]
    [InlineData(100, 10, 1)]
    [InlineData(100, 1, 81)]
    [InlineData(10, 10, 81)]
    public void Frames_are_as_small_as_without_plans(int series, int hertz, int seconds)
    {
        var mixed = new MixedSeries(series, hertz, jitter: false);
        double with = 0, without = 0;
        for (var frame = 0; frame < 3 * UntilTrusted; frame++)
        {
            var batch = mixed.Next(seconds);
            with += SealedSizes.Frame(batch, mixed.Types, 1, _plans).Length;
            without += SealedSizes.Frame(batch, mixed.Types, 1).Length;
        }

        Assert.InRange(with / without, 0.9, 1.01);
    }

    private static ulong[] Counter(int step) => [.. Enumerable.Range(0, Count).Select(i => (ulong)(i * step))];

    private static ulong[] Hundredths(ulong[] values) =>
        [.. values.Select(value => BitConverter.DoubleToUInt64Bits(value / 100.0))];

    private static ulong[] Sevenths(ulong[] values) =>
        [.. values.Select(value => BitConverter.DoubleToUInt64Bits(value / 7.0))];

    private static byte[] Bytes(ColumnPlans? plans, MetricType type, ulong[] values, int bytesMax = int.MaxValue)
    {
        // Others before and behind, whose bits depend on what a writer knows then.
        var batch = new ReadingBatch();
        for (var series = 0; series < 3; series++)
        {
            for (var i = 0; i < values.Length; i++)
            {
                batch.Add(series, i, series == 1 ? values[i] : (ulong)(i * i % 91));
            }
        }

        MetricType[] types = [type, type, type];
        int[] order = [.. Enumerable.Range(0, batch.Count)];
        var writer = new WireWriter();
        CompactColumns.Write(writer, batch, order, types, plans, bytesMax);
        var reader = new WireReader(writer.Written);
        var back = new ReadingBatch();
        CompactColumns.Read(ref reader, back, batch.Count, types);
        Assert.Equal(batch.Bits, back.Bits);
        return writer.ToArray();
    }

    private int Write(MetricType type, ulong[] values) => Bytes(_plans, type, values).Length;

    /// <summary>Writes a column so often that its plan is used as often as it can be.</summary>
    private void Trust(MetricType type, ulong[] values)
    {
        for (var i = 0; i < UntilTrusted; i++)
        {
            Write(type, values);
        }
    }

    private void AssertAsWithout(MetricType type, params ulong[][] columns) =>
        Assert.All(columns, values => Assert.Equal(Bytes(null, type, values), Bytes(_plans, type, values)));

    private ulong[] Noise(int range) => [.. Enumerable.Range(0, Count).Select(_ => (ulong)_random.Next(range))];

    private ulong[] Walk(int step)
    {
        var at = 1L << 40;
        return [.. Enumerable.Range(0, Count).Select(_ => (ulong)(at += _random.Next(-step, step + 1)))];
    }
}
