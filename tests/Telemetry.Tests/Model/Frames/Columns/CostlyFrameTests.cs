using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;
using Telemetry.TestKit.Bytes;
using Telemetry.TestKit.Readings;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>
/// What a stranger's frame can cost. Time is not measured here (eng/bench.sh codec does), but what it is made of: each
/// step of the reader takes bits from the frame or makes one of its readings, so that bounded bytes, readings and
/// memory bound it.
/// </summary>
public class CostlyFrameTests
{
    /// <summary>An exception, with where it was thrown.</summary>
    private const int RefusalAllocatedMax = 8 * 1024;

    /// <summary>Of a frame that is read, once arrays have grown: the framework's inflater.</summary>
    private const int AllocatedMax = 300;

    public static TheoryData<string> Names => [.. CostlyFrame.All.Select(frame => frame.Name)];

    private readonly ReadingBatch _batch = new(FrameHeader.CountMax);
    private readonly List<Declaration> _declarations = new(FrameHeader.CountMax);

    [Theory]
    [MemberData(nameof(Names))]
    public void A_costly_frame_makes_no_more_than_a_frame_may_and_allocates_little(string name)
    {
        var frame = CostlyFrame.All.Single(f => f.Name == name);
        Assert.InRange(frame.Bytes.Length, 1, FrameHeader.BytesMax);
        var max = name == "refused-at-the-end" ? RefusalAllocatedMax : AllocatedMax;
        FrameHeader? header = null;

        var allocated = AllocatedBytes.Of(() => header = Read(frame), max);

        Assert.Equal(name == "refused-at-the-end", header is null);
        Assert.InRange(_batch.Count, header?.Present ?? 0, header?.Present ?? FrameHeader.CountMax);
        Assert.InRange(_batch.TextBytes, 0, FrameHeader.BytesMax);
        Assert.InRange(allocated, 0, max);
    }

    private FrameHeader? Read(CostlyFrame frame)
    {
        _batch.Clear();
        _declarations.Clear();
        try
        {
            FrameReader.Header(frame.Bytes, out _);
            return FrameReader.Read(frame.Bytes, frame.Types, _batch, _declarations);
        }
        catch (WireFormatException)
        {
            return null;
        }
    }
}
