using Telemetry.Model.Frames;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>Frames of every version that ever was, and what they mean.</summary>
public class GoldenFrameTests
{
    public static TheoryData<string> Names => [.. GoldenFrame.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_golden_frame_means_what_it_always_meant(string name)
    {
        var golden = GoldenFrame.Read(name);

        Assert.Equal(golden.Text, FrameText.Of(golden.Bytes, golden.Types));
    }

    [Fact]
    public void There_are_frames_of_each_version()
    {
        var versions = GoldenFrame.Names.Select(name => GoldenFrame.Read(name).Bytes[0] >> 4).Distinct();

        Assert.Equal(Enumerable.Range(0, FrameHeader.VersionMax + 1), versions.Order());
    }
}
