using Telemetry.Tests.Architecture;
using Telemetry.Tests.Deployment;

namespace Telemetry.Containers.Images;

/// <summary>Needs no engine.</summary>
public sealed class ImageNamesTests
{
    /// <summary>Nothing of the trial is a broker that speaks MQTT alone.</summary>
    private static readonly string[] OfTestsAlone = [ImageNames.Mosquitto];

    [Fact]
    public void Servers_of_the_tests_are_those_of_the_trial()
    {
        var trial = ComposeService.Of(SourceTree.Lines("docker-compose.yml"))
            .Where(service => service.Dockerfile is null).Select(service => service.Image);

        Assert.Equal(
            trial.Order(StringComparer.Ordinal),
            ImageNames.All.Except([.. OfTestsAlone, ImageNames.AspNet]).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("deploy/containers/agent.Dockerfile")]
    [InlineData("deploy/containers/cloud.Dockerfile")]
    public void Programs_of_the_tests_stand_on_the_image_that_the_Dockerfile_names(string dockerfile) =>
        Assert.Contains(ImageNames.AspNet, ImageRecipe.Read(dockerfile).BaseImages);

    [Fact]
    public void No_image_is_listed_twice() => Assert.Equal(ImageNames.All.Distinct(), ImageNames.All);
}
