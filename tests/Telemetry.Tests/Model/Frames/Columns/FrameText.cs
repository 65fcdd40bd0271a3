using System.Globalization;
using System.Text;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>A frame as the lines that tests/frame_decoder.py prints.</summary>
internal static class FrameText
{
    public static string Of(ReadOnlySpan<byte> frame, MetricType[] types)
    {
        FrameReader.Header(frame, out _);
        var batch = new ReadingBatch();
        var declarations = new List<Declaration>();
        var header = FrameReader.Read(frame, types, batch, declarations);
        var text = new StringBuilder();
        var key = header.Key;
        Line(
            text,
            $"frame {header.Version} {(byte)header.Kind} {(byte)key.Lane} {key.Epoch} {key.First} {key.Count} "
            + $"{header.Dropped} {header.Schema}");
        if (header.Predecessor is { } predecessor)
        {
            Line(text, $"predecessor {predecessor.Epoch} {Lasts(predecessor.Lasts)}");
        }

        if (header.Promise is { } promise)
        {
            Line(text, $"promise {promise.W} {promise.Digest}");
            foreach (var open in promise.Epochs)
            {
                Line(text, $"open {open.Epoch} {Lasts(open.Lasts)}");
            }
        }

        foreach (var d in declarations)
        {
            Line(text, $"declared {d.Series} {d.Count} {d.TimeFirst} {d.TimeLast} {(byte)d.Reason}");
        }

        for (var row = 0; row < batch.Count; row++)
        {
            Line(text, $"{batch.Series[row]} {batch.Times[row]} {(byte)batch.Flags[row]} {Value(batch, row, types)}");
        }

        return text.ToString();
    }

    private static string Value(ReadingBatch batch, int row, MetricType[] types) =>
        (batch.Flags[row] & ReadingFlags.Null) != 0 ? "null"
        : types[batch.Series[row]] == MetricType.Text ? Convert.ToHexStringLower(batch.Text(batch.Bits[row]))
        : batch.Bits[row].ToString("x16", CultureInfo.InvariantCulture);

    private static string Lasts(LaneLasts lasts) => $"{lasts.Critical} {lasts.Live} {lasts.Backlog}";

    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');
}
