using Telemetry.Storage.Windows;
using Telemetry.TestKit.Readings;

namespace Telemetry.Tests.Storage.Windows;

public sealed class QuantileSketchTests
{
    private static readonly double[] Parts = [0, 0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 1];

    public static TheoryData<string> Kinds => ["narrow", "wide", "signs", "few", "odd", "walk"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Quantiles_are_within_the_error_of_the_level(string kind)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            AssertClose(Values(kind, seed));
        }
    }

    [SensorDataFact]
    public void Quantiles_of_recorded_data_are_within_one_percent()
    {
        foreach (var batch in SensorData.CityTemperatures(600)
            .Concat(SensorData.Csv("machine_temperature.csv", 600)).Concat(SensorData.Csv("occupancy.csv", 3600)))
        {
            foreach (var series in Enumerable.Range(0, batch.Count).GroupBy(i => batch.Series[i], i => batch.Bits[i]))
            {
                Assert.Equal(0, AssertClose([.. series.Select(BitConverter.UInt64BitsToDouble)]));
            }
        }
    }

    [Fact]
    public void Level_rises_only_where_buckets_would_be_too_many()
    {
        // 1.0202 to the power of 256 is 167.
        Assert.Equal(0, Of([.. Enumerable.Range(0, 100_000).Select(i => 1 + (i / 1000.0))]).Level);
        Assert.Equal(1, Of([.. Enumerable.Range(0, 100_000).Select(i => 1 + (i / 100.0))]).Level);
        Assert.InRange(
            Of([.. Enumerable.Range(-308, 616).Select(i => double.Parse($"1e{i}", null)), -1, -1e300]).Level, 2, 9);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Merge_in_any_order_gives_the_bytes_of_all_values_together(string kind)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var values = Values(kind, seed);
            var random = new Random(seed);
            var parts = values.GroupBy(_ => random.Next(5)).Select(g => Of([.. g])).ToArray();
            random.Shuffle(parts);

            var merged = parts[0];
            foreach (var part in parts.Skip(1))
            {
                merged.Merge(part);
            }

            Assert.Equal(Bytes(Of(values)), Bytes(merged));
        }
    }

    [Fact]
    public void Bytes_are_few_where_values_are_alike_and_bounded_where_they_are_not()
    {
        Assert.Equal([0], Bytes(new QuantileSketch()));
        Assert.Equal([0, 0, 3], Bytes(Of([0, -0.0, 1e-301])));
        Assert.Equal([0, 0x80, 0x80, 8, 2], Bytes(Of([1, 1])));
        Assert.InRange(Bytes(Of([.. Enumerable.Range(0, 600).Select(i => 21 + (i / 600.0))])).Length, 10, 20);
        Assert.InRange(Bytes(Of(Values("odd", 1))).Length, 100, QuantileSketch.BytesMax);
    }

    [Fact]
    public void Infinite_values_are_in_the_last_buckets()
    {
        Assert.Equal(
            Bytes(Of([double.MaxValue, -double.MaxValue])),
            Bytes(Of([double.PositiveInfinity, double.NegativeInfinity])));
    }

    [Fact]
    public void Sketch_that_is_used_again_allocates_nothing()
    {
        var values = Values("narrow", 1);
        var (sketch, other, bytes) = (Of(values), Of(values), new byte[QuantileSketch.BytesMax]);
        Use();

        var before = GC.GetAllocatedBytesForCurrentThread();
        Use();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Use()
        {
            sketch.Clear();
            foreach (var value in values)
            {
                sketch.Add(value);
            }

            sketch.Merge(other);
            sketch.WriteTo(bytes);
        }
    }

    // Returns the level.
    private static int AssertClose(double[] values)
    {
        var sketch = Of(values);
        Array.Sort(values);
        var most = ErrorAt(sketch.Level);
        Assert.InRange(sketch.Buckets, 1, QuantileSketch.BucketsMax);
        Assert.All(Parts, part =>
        {
            var exact = values[(int)Math.Floor(part * (values.Length - 1))];
            Assert.InRange(
                Quantile(sketch, part), exact - (most * Math.Abs(exact)) - 1e-300,
                exact + (most * Math.Abs(exact)) + 1e-300);
        });
        return sketch.Level;
    }

    private static double ErrorAt(int level)
    {
        var growth = Math.Pow(1.01 / 0.99, Math.Pow(2, level));
        return ((growth - 1) / (growth + 1)) + 1e-9;
    }

    private static double[] Values(string kind, int seed)
    {
        var random = new Random(seed);
        var walk = 20.0;
        return [.. Enumerable.Range(0, kind == "few" ? 1 + random.Next(5) : 3000).Select(i => kind switch
        {
            "narrow" => 21 + random.NextDouble(),
            "wide" => Math.Pow(10, (random.NextDouble() * 12) - 6),
            "signs" => (random.NextDouble() - 0.5) * 100,
            "odd" => BitConverter.UInt64BitsToDouble((ulong)random.NextInt64()) * (random.Next(2) == 0 ? 1 : -1),
            "walk" => walk = Math.Round(walk + random.NextDouble() - 0.5, 2),
            _ => random.Next(-9, 9),
        }).Where(double.IsFinite)];
    }

    private static QuantileSketch Of(double[] values)
    {
        var sketch = new QuantileSketch();
        foreach (var value in values)
        {
            sketch.Add(value);
        }

        return sketch;
    }

    private static byte[] Bytes(QuantileSketch sketch)
    {
        var bytes = new byte[QuantileSketch.BytesMax];
        return bytes[..sketch.WriteTo(bytes)];
    }

    // Reads the bytes in the plainest way.
    private static double Quantile(QuantileSketch sketch, double part)
    {
        var numbers = new List<long>();
        var (number, shift) = (0L, 0);
        foreach (var next in Bytes(sketch)[1..])
        {
            number |= (long)(next & 127) << shift;
            shift += 7;
            if (next < 128)
            {
                numbers.Add(number);
                (number, shift) = (0, 0);
            }
        }

        var (key, left) = (0L, (long)Math.Floor(part * (numbers.Where((_, i) => i % 2 == 1).Sum() - 1)));
        for (var i = 0; i < numbers.Count; i += 2)
        {
            key += (numbers[i] >> 1) ^ -(numbers[i] & 1);
            left -= numbers[i + 1];
            if (left < 0)
            {
                break;
            }
        }

        var growth = Math.Log(1.01 / 0.99) * Math.Pow(2, Bytes(sketch)[0]);
        return key == 0 ? 0
            : Math.Sign(key) * Math.Exp(((Math.Abs(key) - 65_536) * growth) - Math.Log((1 + Math.Exp(growth)) / 2));
    }
}
