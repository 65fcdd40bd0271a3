using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Tests.Model;

/// <summary>One well-formed message of each kind, with every optional part present.</summary>
internal static class Samples
{
    public static readonly GatewayId Gateway = GatewayId.Parse("gw-1");

    public static SchemaMessage Schema() => SchemaMessage.Of(default,
    [
        new SeriesDefinition { Device = "pump", Metric = "temperature", Unit = "Cel", Decimals = 2 },
        new SeriesDefinition { Device = "pump", Metric = "starts", Type = MetricType.Int },
        new SeriesDefinition { Device = "pump", Metric = "total", Type = MetricType.UInt, ExtraLatenessMicros = 5 },
        new SeriesDefinition { Device = "door", Metric = "open", Type = MetricType.Bool, Labels = [new(
            "a", "1"), new("b", "")] },
        new SeriesDefinition { Device = "door", Metric = "state", Type = MetricType.Text },
    ]);

    public static SeriesList Series() => SeriesList.Empty(Gateway).Extend(Schema());

    public static ReadingBatch Readings()
    {
        var batch = new ReadingBatch();
        batch.Add(0, 1_000_000, -0.0);
        batch.Add(0, 2_000_000, BitConverter.UInt64BitsToDouble(0x7ff8_0000_0000_1234));
        batch.Add(0, 3_000_000, 0, ReadingFlags.Null | (ReadingFlags)Quality.Bad);
        batch.Add(1, 1_000_000, unchecked((ulong)long.MinValue));
        batch.Add(2, 1_000_000, ulong.MaxValue, ReadingFlags.TimeEstimated);
        batch.Add(3, 1_000_000, 1);
        batch.AddText(4, 1_000_000, "zu");
        batch.AddText(4, 2_000_000, "");
        batch.Add(4, 3_000_000, 0, ReadingFlags.Null);
        batch.AddText(4, 4_000_000, "grün");
        return batch;
    }

    public static byte[] Frame(FrameHeader? header = null)
    {
        var batch = Readings();
        var order = new int[batch.Count];
        batch.Order(order);
        Declaration[] declarations = [new(1, 3, 5, 9, DropReason.Quota), new(4, 2, 1, 2, DropReason.Damaged)];
        var writer = new WireWriter();
        FrameWriter.Write(writer, header ?? Header(), declarations, batch, order, Series().Types);
        return writer.ToArray();
    }

    public static FrameHeader Header() => new()
    {
        Key = new FrameKey(0x1234_5678_9abc_def0, Lane.Live, 100, 15),
        Dropped = 5,
        Schema = Schema().Id,
        Predecessor = new Predecessor(7, new LaneLasts(1, 2, 3)),
        Promise = new Promise(
            1_700_000_000_000_000,
            [new(0x1234_5678_9abc_def0, new LaneLasts(4, 114, 6)), new(7, new LaneLasts(1, 2, 3))],
            99),
    };

    public static Hello Hello() => new()
    {
        Id = new HelloId(5, 6),
        Full = true,
        OwnIsLast = true,
        FrameVersion = 1,
        Outbox = 77,
        Accepted = 1234,
        ClockMicros = 1_700_000_000_000_000,
        ClockSynchronised = true,
        Promise = Header().Promise,
        Epochs =
        [
            new HelloEpoch(
                7, new Predecessor(0, default), [HelloLane.Empty, new(20, 20, []), new(9, 9, [new(1, 2), new(5, 9)])]),
            new HelloEpoch(
                8, new Predecessor(7, new LaneLasts(0, 20, 9)),
                [new(1, 1, [new(1, 1)]), HelloLane.Empty, HelloLane.Empty]),
        ],
        Schemas = [Schema().Id],
        Complete = [new(3, new LaneLasts(1, 2, 3))],
        Fork = "put back",
    };

    public static StoredAck Ack() => new()
    {
        Token = 42,
        InAnswerTo = new HelloId(5, 6),
        ServerTimeMicros = 1_700_000_000_000_000,
        Digest = 11,
        Live = new StreamProgress(100, 120),
        Backlog = new StreamProgress(5, 6),
        Fork = true,
        FrameVersion = 1,
        Epochs =
        [
            new EpochSettlement(7, true,
            [
                LaneSettlement.Empty,
                new LaneSettlement(
                    10, 3, 40, [new(new(12, 13), RunState.Lost, 0), new(new(14, 20), RunState.Settled, 9)]),
                LaneSettlement.Empty,
            ]),
        ],
        KnownSchemas = [Schema().Id],
    };

    public static byte[] Bytes(Action<WireWriter> write)
    {
        var writer = new WireWriter();
        write(writer);
        return writer.ToArray();
    }
}
