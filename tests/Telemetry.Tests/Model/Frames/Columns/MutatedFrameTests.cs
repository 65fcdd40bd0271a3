using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.TestKit.Bytes;
using Telemetry.TestKit.Readings;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>
/// Whatever strangers send behind a right checksum, header, declarations or columns: as many readings as it covers, or
/// a refusal. eng/fuzz.sh runs more rounds, and others.
/// </summary>
public class MutatedFrameTests
{
    private const int MutationsEach = 20;

    /// <summary>What reading may allocate: arrays that grow to the largest frame seen, and an exception.</summary>
    private const long AllocatedMax = 512 * 1024;

    private readonly ReadingBatch _batch = new(FrameHeader.CountMax);
    private readonly List<Declaration> _declarations = [];

    [Fact]
    public void Mutated_frames_are_read_or_refused()
    {
        var random = new Random(FuzzSettings.Seed);
        var frames = new RandomFrames(random);
        var mutator = new Mutator(random);
        var refused = 0;
        byte[] original = [];
        for (var round = 0; round < FuzzSettings.Mutations; round++)
        {
            original = round % MutationsEach == 0 ? frames.Next() : original;
            var frame = mutator.MutateSealed(original);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Read(frame, frames.Types);
            }
            catch (WireFormatException)
            {
                refused++;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException(
                    $"seed {FuzzSettings.Seed}, round {round}: {Convert.ToHexString(frame)}", e);
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, AllocatedMax);
            Assert.InRange(_batch.Count, 0, FrameHeader.CountMax);
            Assert.InRange(_batch.TextBytes, 0, FrameHeader.BytesMax);
        }

        Assert.InRange(refused, FuzzSettings.Mutations / 2, FuzzSettings.Mutations - 1);
    }

    private void Read(byte[] frame, MetricType[] types)
    {
        _batch.Clear();
        _declarations.Clear();
        FrameReader.Header(frame, out _);
        var header = FrameReader.Read(frame, types, _batch, _declarations);
        Assert.Equal(header.Present, _batch.Count);
        Assert.Equal(header.Dropped, _declarations.Sum(d => d.Count));
    }
}
