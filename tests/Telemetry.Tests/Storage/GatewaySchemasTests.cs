using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.TestKit.Bytes;
using Telemetry.Tests.Model;
using Telemetry.Tests.Model.Schemas;

namespace Telemetry.Tests.Storage;

public sealed class GatewaySchemasTests
{
    [Fact]
    public void Loading_ten_times_the_schemas_costs_about_ten_times_the_memory_in_any_order()
    {
        var (thousand, tenThousand) = (Shuffled(1_000), Shuffled(10_000));

        var few = AllocatedBytes.Of(() => Load(thousand));
        var many = AllocatedBytes.Of(() => Load(tenThousand), few * 12);

        Assert.True(many <= few * 15, $"1,000 schemas allocate {few:n0} bytes, 10,000 allocate {many:n0}");
        var loaded = Load(tenThousand);
        Assert.Equal((10_000, 10_000), (loaded.Count, loaded.Series));
        Assert.All(tenThousand, s => Assert.NotNull(loaded.Find(s.Id)));
    }

    [Fact]
    public void Schema_whose_parent_is_missing_is_not_found()
    {
        var steps = SeriesListTests.Steps(3);

        var loaded = Load([steps[0], steps[2]]);

        Assert.NotNull(loaded.Find(steps[0].Id));
        Assert.Null(loaded.Find(steps[2].Id));
    }

    [Fact]
    public void Branch_counts_all_series_of_its_list_before_a_restart_and_after_it()
    {
        var steps = SeriesListTests.Steps(10);
        var branch = SchemaMessage.Of(steps[4].Id, [new SeriesDefinition { Device = "d", Metric = "other" }]);
        var schemas = Load(steps);

        schemas.Add(schemas.Find(steps[4].Id)!, branch);

        Assert.Equal((11, 16), (schemas.Count, schemas.Series));
        Assert.Equal(16, Load([branch, .. steps]).Series);
        Assert.Equal(schemas.AdditionBytes, Load([branch, .. steps]).AdditionBytes);
    }

    [Fact]
    public void Each_limit_names_its_option()
    {
        var steps = SeriesListTests.Steps(11);
        var schemas = Load(steps[..10]);
        var last = schemas.Find(steps[9].Id)!;

        Assert.Null(schemas.Beyond(new SchemaLimits(11, 11, 1_000), last, steps[10]));
        foreach (var (limits, option) in ((SchemaLimits, string)[])
            [
                (new(10, 11, 1_000), "gatewaySeriesMax"), (new(11, 10, 1_000), "gatewaySchemasMax"),
                (new(11, 11, 99), "gatewaySchemaBytesMax"),
            ])
        {
            Assert.Contains(option, schemas.Beyond(limits, last, steps[10]), StringComparison.Ordinal);
        }
    }

    private static SchemaMessage[] Shuffled(int count)
    {
        var steps = SeriesListTests.Steps(count).ToArray();
        new Random(1).Shuffle(steps);
        return steps;
    }

    private static GatewaySchemas Load(IEnumerable<SchemaMessage> messages)
    {
        var schemas = new GatewaySchemas(Samples.Gateway);
        schemas.Load(new GatewaySchemaRows([.. messages], new Dictionary<SeriesIdentity, SeriesNumbers>()));
        return schemas;
    }
}
