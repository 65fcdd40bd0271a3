using System.Globalization;
using Telemetry.Storage.Windows;

namespace Telemetry.Integration.Storage;

/// <summary>The functions that read and merge sketches in SQL do what the sketch in memory does.</summary>
public sealed class SketchFunctionTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task Sketches_are_merged_to_the_bytes_that_all_values_together_have_in_memory()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var levels = new HashSet<int>();
        for (var seed = 0; seed < 12; seed++)
        {
            var random = new Random(seed);
            var parts = Enumerable.Range(0, random.Next(2, 6)).Select(_ => Values(random, wide: seed % 3)).ToArray();
            var all = Of(parts.SelectMany(p => p));
            levels.Add(all.Level);

            Assert.Equal(
                Hex(all),
                await database.Row($"""
                    SELECT upper(encode(telemetry.merge_sketches(s), 'hex'))
                    FROM unnest(ARRAY[{string.Join(", ", parts.Select(p => Literal(Of(p))))}]) s
                    """));
        }

        Assert.Superset(new HashSet<int> { 0, 1, 10 }, levels);
    }

    [Fact]
    public async Task Quantiles_are_those_of_the_buckets()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        foreach (var q in (double[])[0, 0.1, 0.5, 0.9, 0.999, 1])
        {
            var values = Values(new Random(7), wide: 0).Concat([0, 0, -3]).Order().ToArray();
            var exact = values[(int)Math.Floor(q * (values.Length - 1))];
            var found = double.Parse(
                await database.Row(string.Create(
                    CultureInfo.InvariantCulture, $"SELECT telemetry.quantile({Literal(Of(values))}, {q})")),
                CultureInfo.CurrentCulture);
            Assert.InRange(found, exact - (0.010001 * Math.Abs(exact)), exact + (0.010001 * Math.Abs(exact)));
        }

        var (empty, some) = (Literal(new QuantileSketch()), Literal(Of([1, double.MaxValue, double.NegativeInfinity])));
        Assert.Equal("|||", await database.Row($"""
            SELECT telemetry.quantile({empty}, 0.5), telemetry.quantile({some}, 1.1), telemetry.quantile({some}, -0.1),
                telemetry.quantile(NULL, 0.5)
            """));
        Assert.Equal("True|True", await database.Row($"""
            SELECT telemetry.quantile({some}, 0) < -1.7e308, telemetry.quantile({some}, 1) > 1.7e308
            """));
    }

    [Fact]
    public async Task Merge_of_sketches_is_null_where_one_is()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var some = Literal(Of([1]));

        Assert.Equal("|||True", await database.Row($"""
            SELECT (SELECT telemetry.merge_sketches(s) FROM unnest(ARRAY[{some}, NULL]) s),
                (SELECT telemetry.merge_sketches(s) FROM unnest(ARRAY[NULL::bytea]) s),
                (SELECT telemetry.merge_sketches(s) FROM unnest(ARRAY[{some}]) s WHERE false),
                (SELECT telemetry.merge_sketches(s) FROM unnest(ARRAY[{some}]) s) = {some}
            """));
    }

    // Within some percent, within a few decades, or of every size.
    private static double[] Values(Random random, int wide) =>
    [
        .. Enumerable.Range(0, 400).Select(_ => wide switch
        {
            0 => 20 + random.NextDouble(),
            1 => Math.Pow(10, random.NextDouble() * 3) * (random.Next(20) == 0 ? 0 : 1),
            _ => BitConverter.UInt64BitsToDouble((ulong)random.NextInt64()) * (random.Next(2) == 0 ? 1 : -1),
        }).Where(double.IsFinite),
    ];

    private static QuantileSketch Of(IEnumerable<double> values)
    {
        var sketch = new QuantileSketch();
        foreach (var value in values)
        {
            sketch.Add(value);
        }

        return sketch;
    }

    private static string Hex(QuantileSketch sketch)
    {
        var bytes = new byte[QuantileSketch.BytesMax];
        return Convert.ToHexString(bytes.AsSpan(0, sketch.WriteTo(bytes)));
    }

    private static string Literal(QuantileSketch sketch) => $"'\\x{Hex(sketch)}'::bytea";
}
