using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.TestKit.Messages;

/// <summary>Well-formed payloads as an agent sends them.</summary>
public static class SampleMessages
{
    public static readonly GatewayId Gateway = GatewayId.Parse("gateway-1");

    private static readonly SchemaMessage SampleSchema =
        SchemaMessage.Of(default, [new SeriesDefinition { Device = "pump", Metric = "flow" }]);

    /// <summary>The id of what <see cref="Schema"/> makes.</summary>
    public static SchemaId SchemaOfSample => SampleSchema.Id;

    public static byte[] Frame(
        Lane lane = Lane.Live, long first = 1, int attempt = 1, int readings = 3, SchemaId? schema = null)
    {
        var batch = new ReadingBatch();
        for (var i = 0; i < readings; i++)
        {
            batch.Add(0, 1_000_000 + i, i * 0.5);
        }

        var order = new int[batch.Count];
        batch.Order(order);
        var writer = new WireWriter();
        new FrameEnvelope(5, new Attempt(7, attempt)).Write(writer);
        var header =
            new FrameHeader { Key = new FrameKey(9, lane, first, readings), Schema = schema ?? new SchemaId(1, 2) };
        FrameWriter.Write(writer, header, [], batch, order, [MetricType.Float]);
        return writer.ToArray();
    }

    public static byte[] Schema(Lane lane = Lane.Live)
    {
        var writer = new WireWriter();
        new FrameEnvelope(5, new Attempt(7, 1)).Write(writer);
        SampleSchema.Write(writer, lane);
        return writer.ToArray();
    }

    public static byte[] Hello()
    {
        var writer = new WireWriter();
        new Hello { Id = new HelloId(7, 1), Outbox = 3, Accepted = 4, Full = true }.Write(writer);
        return writer.ToArray();
    }

    public static byte[] Answer(long helloNumber)
    {
        var writer = new WireWriter();
        new StoredAck { Token = 1, InAnswerTo = new HelloId(7, helloNumber) }.Write(writer);
        return writer.ToArray();
    }

    public static byte[] Ack(long position)
    {
        var writer = new WireWriter();
        new StoredAck { Token = 1, Live = new StreamProgress(position, 0) }.Write(writer);
        return writer.ToArray();
    }

    public static byte[] Needed(ulong token)
    {
        var writer = new WireWriter();
        new SchemaNeeded(token, new SchemaId(1, 2), new FrameKey(9, Lane.Live, 1, 1)).Write(writer);
        return writer.ToArray();
    }
}
