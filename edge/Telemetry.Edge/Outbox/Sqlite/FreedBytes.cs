using Telemetry.Model.Identity;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// Encodes freed runs for an epoch's row.
/// <code>
/// 3 lanes of: varint runs, each: varint first, varint count, u64 share
/// </code>
/// </summary>
internal static class FreedBytes
{
    private const int RunBytesMin = 10;

    public static byte[] Write(FreedLane[] lanes)
    {
        var writer = new WireWriter();
        foreach (var lane in lanes)
        {
            writer.Varint((ulong)lane.Runs.Count);
            foreach (var run in lane.Runs)
            {
                writer.Varint(run.Range.First);
                writer.Varint(run.Range.Count);
                writer.UInt64(run.Share);
            }
        }

        return writer.ToArray();
    }

    public static FreedLane[] Read(byte[] bytes)
    {
        var reader = new WireReader(bytes);
        var lanes = new FreedLane[Lanes.Count];
        for (var lane = 0; lane < lanes.Length; lane++)
        {
            var runs = new FreedRun[reader.Count(FreedLane.RunsMax, RunBytesMin)];
            for (var i = 0; i < runs.Length; i++)
            {
                var first = reader.Varint(long.MaxValue / 2);
                var count = reader.Varint(long.MaxValue / 2);
                runs[i] = new FreedRun(new SequenceRange(first, first + count - 1), reader.UInt64());
            }

            lanes[lane] = runs.Length == 0 ? FreedLane.Empty : new FreedLane(runs);
        }

        reader.End();
        return lanes;
    }
}
