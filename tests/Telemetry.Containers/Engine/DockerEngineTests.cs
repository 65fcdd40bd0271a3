namespace Telemetry.Containers.Engine;

/// <summary>Needs no engine.</summary>
public sealed class DockerEngineTests
{
    [Theory]
    [InlineData("none answers", null, "none answers")]
    [InlineData("none answers", "false", "none answers")]
    [InlineData("none answers", "true", null)]
    [InlineData(null, null, null)]
    public void Missing_engine_is_a_reason_to_skip_but_not_where_one_is_required(
        string? whyNot, string? required, string? reason) =>
        Assert.Equal(reason, DockerEngine.SkipReasonOf(whyNot, required));
}
