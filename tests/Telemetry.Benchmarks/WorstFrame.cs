using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.TestKit.Readings;

namespace Telemetry.Benchmarks;

/// <summary>
/// How long can a frame keep its reader busy, whoever made it? Frames made by hand to be costly, the slowest of which
/// is the figure; the limit is an ordinary full frame's reading, checksum included. A refusal counts with its
/// exception.
/// </summary>
internal static class WorstFrame
{
    private const double MicrosASecond = 1e6;

    /// <summary>About 8,192 readings: ten series at 10 Hz.</summary>
    private const int Series = 10, Hertz = 10, Seconds = 81;

    /// <summary>Each frame is read for this long at least.</summary>
    public static void Run(TimeSpan least)
    {
        var mixed = new MixedSeries(Series, Hertz, jitter: false);
        var ordinary = Micros(least, SealedSizes.Frame(mixed.Next(Seconds), mixed.Types, 1), mixed.Types);
        var worst = 0.0;
        foreach (var frame in CostlyFrame.All)
        {
            var micros = Micros(least, frame.Bytes, frame.Types);
            worst = Math.Max(worst, micros);
            Figure.Print($"codec-costly-{frame.Name}", micros, "us/frame", "ordinary-full-frame", ordinary);
        }

        Figure.Print("codec-worst-frame", worst, "us/frame", "ordinary-full-frame", ordinary);
    }

    private static double Micros(TimeSpan least, byte[] frame, MetricType[] types)
    {
        var batch = new ReadingBatch(FrameHeader.CountMax);
        var declarations = new List<Declaration>(FrameHeader.CountMax);
        return MicrosASecond / CodecBenchmark.Rate(least, Read);

        void Read()
        {
            batch.Clear();
            declarations.Clear();
            try
            {
                FrameReader.Header(frame, out _);
                FrameReader.Read(frame, types, batch, declarations);
            }
            catch (WireFormatException)
            {
                // One of them is made to be refused; what that costs is asked here.
            }
        }
    }
}
