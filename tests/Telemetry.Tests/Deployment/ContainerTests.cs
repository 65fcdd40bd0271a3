using System.Collections;
using System.Text.RegularExpressions;
using Telemetry.Agent.Configuration;
using Telemetry.Cloud.Configuration;
using Telemetry.Runtime.Settings;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Deployment;

public sealed class ContainerTests
{
    private const string Cloud = "deploy/containers/cloud.Dockerfile", Agent = "deploy/containers/agent.Dockerfile";

    private static readonly IReadOnlyList<ComposeService> Services =
        ComposeService.Of(SourceTree.Lines("docker-compose.yml"));

    public static TheoryData<string> Dockerfiles => [Cloud, Agent];

    [Fact]
    public void Every_service_of_the_trial_is_there() =>
        Assert.Equal(
            ["agent", "cloud", "kafka", "nats", "timescaledb"], Services.Select(service => service.Name).Order());

    [Fact]
    public void Every_port_is_published_on_the_loopback_alone()
    {
        var ports = Services.SelectMany(service => service.Ports).ToList();

        Assert.NotEmpty(ports);
        Assert.DoesNotContain(ports, port => !ContainerRules.IsLocal(port));
    }

    [Fact]
    public void Every_image_is_pinned()
    {
        var built = Services.Select(service => service.Dockerfile).OfType<string>().Select(ImageRecipe.Read).ToList();
        var images = Services.Select(service => service.Image)
            .Concat(built.SelectMany(recipe => recipe.BaseImages)).ToList();

        Assert.Equal(Services.Count + 4, images.Count);
        Assert.DoesNotContain(images, image => !ContainerRules.IsPinned(image));
    }

    [Fact]
    public void Every_service_can_be_asked_for_its_health() =>
        Assert.DoesNotContain(Services, service => !service.HasHealthcheck
            && (service.Dockerfile is not { } path || !ImageRecipe.Read(path).HasHealthcheck));

    [Fact]
    public void Every_secret_comes_from_a_variable_that_the_sample_names()
    {
        var sample = SourceTree.Lines("deploy/containers/.env.example");
        var secrets = Services.SelectMany(service => service.Environment)
            .Where(pair => pair.Key.EndsWith("PASSWORD", StringComparison.Ordinal)
                || pair.Key.EndsWith("TOKEN", StringComparison.Ordinal))
            .ToList();

        Assert.NotEmpty(secrets);
        Assert.All(secrets, secret => Assert.Contains($"{ContainerRules.RequiredVariable(secret.Value)}=", sample));
    }

    [Theory]
    [MemberData(nameof(Dockerfiles))]
    public void Everything_that_is_copied_is_in_the_tree_and_in_the_context(string dockerfile)
    {
        var context = SourceTree.Lines(".dockerignore");
        var sources = ImageRecipe.Read(dockerfile).Copies.Select(copy => copy.Source).ToList();

        Assert.NotEmpty(sources);
        Assert.All(sources, source =>
        {
            Assert.True(Path.Exists(Path.Combine(SourceTree.Root, source)), source);
            var folder = source.Split('/')[0];
            Assert.Contains(folder == source ? $"!{source}" : $"!{folder}/", context);
        });
    }

    /// <summary>docs/guides/containers.md builds this stage from the repository's top.</summary>
    [Theory]
    [MemberData(nameof(Dockerfiles))]
    public void Program_that_is_published_already_is_in_the_context(string dockerfile)
    {
        Assert.True(ImageRecipe.Read(dockerfile).TakesPublished);
        Assert.Contains($"!{ImageRecipe.Published}", SourceTree.Lines(".dockerignore"));
        Assert.Contains($"/{ImageRecipe.Published}", SourceTree.Lines(".gitignore"));
    }

    [Fact]
    public void Everything_that_is_mounted_is_in_the_tree()
    {
        var sources = Services.SelectMany(service => service.Volumes).Select(volume => volume.Split(':')[0])
            .Where(source => source.StartsWith('.')).ToList();

        Assert.NotEmpty(sources);
        Assert.All(sources, source => Assert.True(Path.Exists(Path.Combine(SourceTree.Root, source)), source));
    }

    [Theory]
    [MemberData(nameof(Dockerfiles))]
    public void Nothing_of_ours_runs_as_root(string dockerfile) =>
        Assert.Equal("$APP_UID", ImageRecipe.Read(dockerfile).User);

    [Theory]
    [InlineData("agent")]
    [InlineData("cloud")]
    [InlineData("nats")]
    public void Service_writes_to_its_volumes_alone_and_has_no_rights_and_a_memory_limit(string name)
    {
        var service = Services.Single(s => s.Name == name);

        Assert.Equal(
            ("true", "ALL"), (service.Value("read_only"), Assert.Single(service.List("cap_drop"))));
        Assert.Matches("^[0-9]+m$", service.Value("mem_limit"));
    }

    [Fact]
    public void Cloud_knows_every_key_that_it_is_given()
    {
        ReadCloud(out var problems);

        Assert.Empty(problems);
    }

    [Fact]
    public void Streams_have_room_in_JetStream()
    {
        var settings = ReadCloud(out _)!;
        var configuration = string.Join('\n', SourceTree.Lines("deploy/containers/nats.conf"));
        var gigabytes = int.Parse(Regex.Match(configuration, @"max_file_store: (\d+)GB").Groups[1].Value);

        // Each stream reserves its limit when it is made. nats-server counts 1 GB as 2^30.
        Assert.InRange(
            settings.Ingress.Partitions * (settings.Log.LiveBytesMax + settings.Log.BacklogBytesMax), 1,
            (long)gigabytes << 30);
    }

    [Fact]
    public void Agent_knows_every_key_that_it_is_given()
    {
        var variables = new Hashtable();
        foreach (var (key, value) in Given("agent"))
        {
            variables[key] = value;
        }

        var reader = new SettingsReader(SettingsTree.Load(
            ImageRecipe.Read(Agent).Configuration, AgentConfiguration.EnvironmentPrefix, variables));
        AgentConfiguration.Read(reader);

        Assert.Empty(reader.Problems);
    }

    [Theory]
    [InlineData("127.0.0.1:1883:1883", true)]
    [InlineData("1883:1883", false)]
    [InlineData("0.0.0.0:1883:1883", false)]
    [InlineData("${ADDRESS}:1883:1883", false)]
    public void Local_ports_are_recognised(string port, bool local) =>
        Assert.Equal(local, ContainerRules.IsLocal(port));

    [Theory]
    [InlineData("nats:2.10.29-alpine", true)]
    [InlineData("mcr.microsoft.com/dotnet/sdk:10.0-noble", true)]
    [InlineData("nats", false)]
    [InlineData("nats:latest", false)]
    [InlineData("nats:2", false)]
    [InlineData("timescale/timescaledb:latest-pg17", false)]
    public void Pinned_images_are_recognised(string image, bool pinned) =>
        Assert.Equal(pinned, ContainerRules.IsPinned(image));

    [Theory]
    [InlineData("${PASSWORD:?copy the sample}", "PASSWORD")]
    [InlineData("${PASSWORD}", null)]
    [InlineData("${PASSWORD:-secret}", null)]
    [InlineData("secret", null)]
    public void Required_variables_are_recognised(string value, string? variable) =>
        Assert.Equal(variable, ContainerRules.RequiredVariable(value));

    // As Program.cs reads: the image's file, and over it the environment that compose gives.
    private static CloudSettings? ReadCloud(out IReadOnlyList<string> problems)
    {
        const string Gateways = "TELEMETRY__INGRESS__GATEWAYS";
        var recipe = ImageRecipe.Read(Cloud);
        var given = new Hashtable();
        foreach (var (key, value) in Given("cloud"))
        {
            given[key] = recipe.Source(value);
        }

        // Written where the key says, as the container starts; here any file will do.
        Assert.Contains(
            Services.Single(s => s.Name == "cloud").Items("entrypoint"),
            item => item.Contains($"> {given[Gateways]};", StringComparison.Ordinal));
        given[Gateways] = recipe.Configuration;
        return CloudConfiguration.Read(
            SettingsTree.Load(recipe.Configuration, CloudConfiguration.EnvironmentPrefix, given), out problems);
    }

    private static IEnumerable<(string Key, string Value)> Given(string service) =>
        from pair in Services.Single(s => s.Name == service).Environment
        select (pair.Key, ContainerRules.RequiredVariable(pair.Value) is null ? pair.Value : "given-by-variable");
}
