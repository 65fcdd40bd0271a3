using Telemetry.Runtime.Commands;

namespace Telemetry.Tests.Runtime.Commands;

public sealed class ProgramNameTests
{
    [Theory]
    [InlineData("/opt/telemetry-agent/Telemetry.Agent", "Telemetry.Agent")]
    [InlineData("Telemetry.Agent", "Telemetry.Agent")]
    [InlineData("/usr/local/bin/telemetry", "telemetry")]
    [InlineData("dotnet", "Telemetry.Agent")]
    [InlineData("/usr/share/dotnet/dotnet", "Telemetry.Agent")]
    [InlineData("", "Telemetry.Agent")]
    public void Program_is_called_by_the_name_of_the_file_that_was_started(string command, string called) =>
        Assert.Equal(new ProgramName("Telemetry.Agent", called), ProgramName.Of("Telemetry.Agent", command));

    [Fact]
    public void Name_of_this_process_is_read() =>
        Assert.NotEmpty(ProgramName.OfThisProcess("Telemetry.Tests").Called);
}
