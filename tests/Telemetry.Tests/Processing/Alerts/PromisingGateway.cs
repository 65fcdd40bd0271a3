using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;
using Telemetry.Tests.Model;

namespace Telemetry.Tests.Processing.Alerts;

/// <summary>Seals frames of temperatures in two lanes; each live one promises that nothing older follows.</summary>
internal sealed class PromisingGateway
{
    private long _live, _backlog;

    /// <summary>A live frame of temperatures, one a minute.</summary>
    public byte[] Live(long promised, long startMicros, params double[] values)
    {
        var first = _live + 1;
        _live += values.Length;
        return Frame(Lane.Live, first, startMicros, values, new Promise(
            promised, [new EpochLasts(ProcessorRig.Epoch, new LaneLasts(0, _live, _backlog))], 0));
    }

    /// <summary>A backlog frame of temperatures, one a minute; promises from now on name it.</summary>
    public byte[] Backlog(long startMicros, params double[] values)
    {
        var first = _backlog + 1;
        _backlog += values.Length;
        return Frame(Lane.Backlog, first, startMicros, values, null);
    }

    private static byte[] Frame(Lane lane, long first, long startMicros, double[] values, Promise? promise)
    {
        var batch = new ReadingBatch();
        for (var i = 0; i < values.Length; i++)
        {
            batch.Add(0, startMicros + (i * 60_000_000L), values[i]);
        }

        var order = new int[batch.Count];
        batch.Order(order);
        var header = new FrameHeader
        {
            Kind = FrameKind.Readings,
            Key = new FrameKey(ProcessorRig.Epoch, lane, first, batch.Count),
            Schema = Samples.Schema().Id,
            Promise = promise,
        };
        return Samples.Bytes(w => FrameWriter.Write(w, header, [], batch, order, Samples.Series().Types));
    }
}
