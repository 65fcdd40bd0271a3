using Telemetry.Diagnostics.Tracing;

namespace Telemetry.Tests.Diagnostics.Tracing;

public class TraceExportOptionsTests
{
    [Theory]
    [InlineData("http://collector:4318", "http://collector:4318")]
    [InlineData("https://user:secret@collector:4318/secret?token=secret#secret", "https://collector:4318")]
    [InlineData("http://secret@[::1]:4317/", "http://[::1]:4317")]
    [InlineData("https://collector/secret", "https://collector")]
    public void Only_scheme_host_and_port_of_the_endpoint_are_shown(string text, string shown)
    {
        Assert.True(TraceExportOptions.TryEndpoint(text, out var endpoint));

        Assert.Equal(shown, new TraceExportOptions { Endpoint = endpoint }.EndpointShown);
    }

    [Fact]
    public void Without_an_endpoint_nothing_is_shown() => Assert.Empty(new TraceExportOptions().EndpointShown);
}
