using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;
using Telemetry.Testing.Bytes;
using Telemetry.Testing.Readings;

namespace Telemetry.Tests.Shared.Columns;

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

    /// <summary>tests/frame_decoder.py was written from docs/frame-format.md alone.</summary>
    [PythonFact]
    public void Another_decoder_reads_golden_and_random_frames_alike()
    {
        var input = new List<string>();
        var expected = new List<string>();
        foreach (var name in GoldenFrame.Names)
        {
            var golden = GoldenFrame.Read(name);
            Add(golden.Bytes, golden.Types, golden.Text);
        }

        var readings = new RandomReadings(new Random(4));
        for (var frames = 0; frames < 60; frames++)
        {
            readings.Next();
            var bytes = SealedSizes.Frame(readings.Batch, readings.Types, (byte)(frames % 8 == 0 ? 0 : 1));
            Add(bytes, readings.Types, FrameText.Of(bytes, readings.Types));
        }

        Assert.Equal(string.Concat(expected.Select(text => text + "\n")), PythonDecoder.Run(input));

        void Add(byte[] bytes, MetricType[] types, string text)
        {
            input.Add($"{string.Concat(types.Select(type => (int)type))} {Convert.ToHexStringLower(bytes)}");
            expected.Add(text);
        }
    }

    /// <summary>Where one decoder sees damage the other sees it too, and nothing else goes wrong in either.</summary>
    [PythonFact]
    public void Another_decoder_refuses_the_same_frames()
    {
        var mutator = new Mutator(new Random(5));
        var readings = new RandomReadings(new Random(6));
        var input = new List<string>();
        var expected = new List<string>();
        for (var frames = 0; frames < 300; frames++)
        {
            readings.Next();
            var bytes = mutator.MutateSealed(SealedSizes.Frame(readings.Batch, readings.Types, (byte)(frames % 8 == 0 ? 0 : 1)));
            input.Add($"{string.Concat(readings.Types.Select(type => (int)type))} {Convert.ToHexStringLower(bytes)}");
            try
            {
                expected.Add(FrameText.Of(bytes, readings.Types));
            }
            catch (WireFormatException)
            {
                expected.Add("malformed");
            }
        }

        var got = PythonDecoder.Run(input).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            expected,
            got.Select(text => text.StartsWith("malformed", StringComparison.Ordinal) ? "malformed" : text.TrimEnd('\n') + "\n"));
    }
}
