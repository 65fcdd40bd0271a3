using Telemetry.Model.Frames;
using Telemetry.TestKit.Readings;

namespace Telemetry.Tests.TestKit.Readings;

/// <summary>What the frames of the codec's random tests reach.</summary>
public class RandomFramesTests
{
    private const int Rounds = 1_000;

    private readonly RandomFrames _frames = new(new Random(1));

    [Fact]
    public void Some_frames_are_full()
    {
        var full = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var header = FrameReader.Header(_frames.Next(), out _);
            full += header.Present == FrameHeader.CountMax ? 1 : 0;
        }

        Assert.InRange(full, 1, Rounds / 50);
    }
}
