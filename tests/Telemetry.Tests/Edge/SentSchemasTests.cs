using Telemetry.Edge.Outbox;
using Telemetry.Edge.Uplink;
using Telemetry.Model;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Tests.Edge;

/// <summary>Each stream must be readable by itself, so each lane gets the schemas that its frames need.</summary>
public sealed class SentSchemasTests
{
    private static readonly SchemaRow First = Row(1, default, "a");
    private static readonly SchemaRow Second = Row(2, First.Message.Id, "b");
    private static readonly SchemaRow[] Chain = [First, Second];

    private readonly SentSchemas _sent = new();

    [Fact]
    public void Chain_goes_up_from_its_first_schema_in_each_lane_once()
    {
        foreach (var lane in Enum.GetValues<Lane>())
        {
            Assert.Equal([First.Message, Second.Message], _sent.Missing(lane, Second.Message.Id, Chain));
            _sent.Add(lane, First.Message.Id);
            Assert.Equal([Second.Message], _sent.Missing(lane, Second.Message.Id, Chain));
            _sent.Add(lane, Second.Message.Id);
            Assert.Empty(_sent.Missing(lane, Second.Message.Id, Chain));
        }
    }

    [Fact]
    public void Frame_that_needs_the_first_schema_waits_for_no_other()
    {
        Assert.Equal([First.Message], _sent.Missing(Lane.Live, First.Message.Id, Chain));
        Assert.Empty(_sent.Missing(Lane.Live, default, Chain));
    }

    [Fact]
    public void What_the_database_lacks_goes_up_again_in_every_lane()
    {
        _sent.Add(Lane.Live, First.Message.Id);
        _sent.Add(Lane.Backlog, First.Message.Id);

        _sent.Forget();

        Assert.Equal([First.Message], _sent.Missing(Lane.Live, First.Message.Id, Chain));
        Assert.Equal([First.Message], _sent.Missing(Lane.Backlog, First.Message.Id, Chain));
    }

    private static SchemaRow Row(long order, SchemaId parent, string metric) => new(SchemaMessage.Of(
        parent, [new SeriesDefinition { Device = "d", Metric = metric, Type = MetricType.Float }]), order);
}
