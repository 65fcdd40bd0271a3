using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Protocol;

/// <summary>Lists of epochs with their last sequences, as hellos and answers carry them.</summary>
internal static class EpochLists
{
    public static void Write(WireWriter writer, LaneLasts lasts)
    {
        writer.Varint(lasts.Critical);
        writer.Varint(lasts.Live);
        writer.Varint(lasts.Backlog);
    }

    public static void Write(WireWriter writer, IReadOnlyList<EpochLasts> epochs)
    {
        writer.Varint((ulong)epochs.Count);
        foreach (var epoch in epochs)
        {
            writer.UInt64(epoch.Epoch);
            Write(writer, epoch.Lasts);
        }
    }

    public static EpochLasts[] Read(ref WireReader reader, int countMax)
    {
        var epochs = new EpochLasts[reader.Count(countMax, 11)];
        for (var i = 0; i < epochs.Length; i++)
        {
            epochs[i] = new EpochLasts(reader.UInt64(), Promise.ReadLasts(ref reader));
        }

        return epochs;
    }
}
