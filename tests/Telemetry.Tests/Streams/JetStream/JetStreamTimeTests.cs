using Telemetry.Streams.JetStream;

namespace Telemetry.Tests.Streams.JetStream;

public sealed class JetStreamTimeTests
{
    [Theory]
    [InlineData("1970-01-01T00:00:00Z", 0)]
    [InlineData("1970-01-01T00:00:01.5Z", 1_500_000_000)]
    [InlineData("2026-11-21T12:38:20.356050417Z", 1_795_264_700_356_050_417)]
    [InlineData("2026-11-21T14:38:20.000000001+02:00", 1_795_264_700_000_000_001)]
    public void Times_are_read_to_the_nanosecond(string text, long nanoseconds)
    {
        Assert.True(JetStreamTime.TryReadNanoseconds(text, out var read));
        Assert.Equal(nanoseconds, read);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("2026-11-21T12:38:20.1234567890Z")]
    public void Anything_else_is_no_time(string? text) => Assert.False(JetStreamTime.TryReadNanoseconds(text, out _));
}
