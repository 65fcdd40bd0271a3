using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.TestKit.Bytes;
using Telemetry.TestKit.Readings;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>
/// tests/frame_decoder.py was written from docs/reference/frame-format.md alone, by someone who had not seen the reader
/// here: where the two differ the page is wrong or one of them is. eng/fuzz.sh compares more frames, and others.
/// </summary>
public class AnotherDecoderTests
{
    private const string Malformed = "malformed";
    private const int FramesARun = 500;

    private readonly List<string> _input = [];
    private readonly List<string> _expected = [];

    [PythonFact]
    public void Another_decoder_reads_golden_and_random_frames_alike()
    {
        foreach (var name in GoldenFrame.Names)
        {
            var golden = GoldenFrame.Read(name);
            Add(golden.Bytes, golden.Types, golden.Text);
        }

        var frames = new RandomFrames(new Random(FuzzSettings.Seed));
        for (var left = FuzzSettings.Comparisons; left > 0; left--)
        {
            var frame = frames.Next();
            Add(frame, frames.Types, FrameText.Of(frame, frames.Types));
        }

        Compare();
    }

    /// <summary>Where one decoder sees damage the other sees it too, and nothing else goes wrong in either.</summary>
    [PythonFact]
    public void Another_decoder_refuses_the_same_frames()
    {
        var random = new Random(FuzzSettings.Seed);
        var mutator = new Mutator(random);
        var frames = new RandomFrames(random);
        for (var left = FuzzSettings.Comparisons; left > 0; left--)
        {
            var frame = mutator.MutateSealed(frames.Next());
            Add(frame, frames.Types, TextOrMalformed(frame, frames.Types));
        }

        Compare();
    }

    [PythonFact]
    public void Another_decoder_keeps_to_the_same_rules()
    {
        foreach (var rule in FrameRule.All)
        {
            Add(rule.Frame, rule.Types, rule.IsAccepted ? FrameText.Of(rule.Frame, rule.Types) : Malformed);
        }

        Compare();
    }

    private static string TextOrMalformed(byte[] frame, MetricType[] types)
    {
        try
        {
            return FrameText.Of(frame, types);
        }
        catch (WireFormatException)
        {
            return Malformed;
        }
    }

    private void Add(byte[] frame, MetricType[] types, string text)
    {
        _input.Add($"{string.Concat(types.Select(type => (int)type))} {Convert.ToHexStringLower(frame)}");
        _expected.Add(text);
        if (_input.Count == FramesARun)
        {
            Compare();
        }
    }

    private void Compare()
    {
        var got = PythonDecoder.Run(_input).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(_expected.Count, got.Length);
        for (var i = 0; i < got.Length; i++)
        {
            var text = got[i].StartsWith(Malformed, StringComparison.Ordinal) ? Malformed : got[i].TrimEnd('\n') + "\n";
            Assert.True(_expected[i] == text, $"{_input[i]}\nhere: {_expected[i]}\nthere: {got[i]}");
        }

        _input.Clear();
        _expected.Clear();
    }
}
