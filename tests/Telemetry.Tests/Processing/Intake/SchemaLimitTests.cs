using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Processing;
using Telemetry.Storage;
using Telemetry.Tests.Model;
using Telemetry.Tests.Model.Schemas;

namespace Telemetry.Tests.Processing.Intake;

public sealed class SchemaLimitTests
{
    [Fact]
    public void Schema_over_the_limit_is_a_dead_letter_and_frames_of_earlier_ones_go_on()
    {
        var steps = SeriesListTests.Steps(4);
        var rig = new ProcessorRig(new ProcessorOptions { GatewaySeriesMax = 2 });

        rig.Give([.. steps.Select(Bytes), Frame(steps[3], 1), Frame(steps[1], 2), Frame(steps[0], 3)]);
        rig.Give(Bytes(steps[2]), Bytes(steps[3]), Frame(steps[2], 4));

        Assert.Equal([2L, 3L], rig.Frames.Select(f => f.Key.First));
        var letter = Assert.Single(rig.DeadLetters);
        Assert.Equal((DeadLetterReason.Limit, 0), (letter.Reason, letter.Readings));
        Assert.Contains("processor.gatewaySeriesMax", letter.Error, StringComparison.Ordinal);
        Assert.Empty(rig.SchemasNeeded);
        Assert.Equal(1, rig.Counters.SchemasRefused);
        Assert.Equal(2, rig.Store.Content.Schemas.Count);
    }

    [Fact]
    public void All_schemas_are_read_by_one_query_after_a_restart()
    {
        var steps = SeriesListTests.Steps(200);
        var before = new ProcessorRig();
        before.Give([.. steps.Select(Bytes)]);
        var after = new ProcessorRig();
        after.Store.Content = before.Store.Content with { Partitions = after.Store.Content.Partitions };
        var loads = 0;
        after.Store.Calls.LosesRequest = call =>
        {
            loads += call == "load schemas" ? 1 : 0;
            return false;
        };

        after.Give([.. steps.Select((s, i) => Frame(s, i + 1))]);

        Assert.Equal(200, after.Frames.Length);
        Assert.Equal(1, loads);
    }

    private static byte[] Bytes(SchemaMessage schema) => Samples.Bytes(w => schema.Write(w, Lane.Live));

    private static byte[] Frame(SchemaMessage schema, long first)
    {
        var batch = new ReadingBatch();
        batch.Add(0, 1_000_000 + first, 1.5);
        var key = new FrameKey(ProcessorRig.Epoch, Lane.Live, first, 1);
        var header = new FrameHeader { Key = key, Schema = schema.Id };
        return Samples.Bytes(w => FrameWriter.Write(w, header, [], batch, [0], [MetricType.Float]));
    }
}
