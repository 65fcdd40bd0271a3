using System.Globalization;
using Docker.DotNet.Models;
using Telemetry.Tests.Architecture;
using Telemetry.Tests.Deployment;

namespace Telemetry.Containers.Chain;

/// <summary>
/// What docker-compose.yml gives to its services, with passwords made up for this run: so the chain of the tests is the
/// one of the trial.
/// </summary>
internal sealed class TrialSettings
{
    private static readonly IReadOnlyList<ComposeService> Services =
        ComposeService.Of(SourceTree.Lines("docker-compose.yml"));

    private readonly Dictionary<string, string> _secrets = [];

    /// <summary>The environment of a service.</summary>
    public IReadOnlyDictionary<string, string> Environment(string service) => Of(service).Environment
        .ToDictionary(
            pair => pair.Key,
            pair => ContainerRules.RequiredVariable(pair.Value) is { } variable ? Secret(variable) : pair.Value);

    /// <summary>The password or token that a variable of .env stands for.</summary>
    public string Secret(string variable) => _secrets.TryGetValue(variable, out var secret)
        ? secret
        : _secrets[variable] = "t" + Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);

    /// <summary>
    /// Gives a container the command of the service, and what the service may write and use, and no more.
    /// </summary>
    public static Action<CreateContainerParameters> AsService(string service) => container =>
    {
        var trial = Of(service);
        var host = container.HostConfig!;
        host.SecurityOpt = ["no-new-privileges:true"];
        host.CapDrop = [.. trial.List("cap_drop")];
        host.ReadonlyRootfs = trial.Value("read_only") == "true";
        host.Memory = Bytes(trial.Value("mem_limit"));
        host.Tmpfs = trial.List("tmpfs").Select(folder => folder.Split(':', 2))
            .ToDictionary(parts => parts[0], parts => parts.Length > 1 ? parts[1] : "");
        if (trial.List("command") is { Count: > 0 } command)
        {
            container.Cmd = [.. command];
        }

        // $$ is how compose writes $.
        if (trial.Items("entrypoint") is { Count: > 0 } entrypoint)
        {
            container.Entrypoint = [.. entrypoint.Select(item => item.Replace("$$", "$", StringComparison.Ordinal))];
        }

        // Without a name, so that they go with the container.
        foreach (var volume in trial.Volumes.Where(volume => !volume.StartsWith('.')))
        {
            container.Volumes ??= new Dictionary<string, EmptyStruct>();
            container.Volumes[volume.Split(':')[^1]] = default;
        }
    };

    private static ComposeService Of(string service) => Services.Single(s => s.Name == service);

    // 0 is no limit.
    private static long Bytes(string? limit) => limit is null
        ? 0
        : long.Parse(limit[..^1], CultureInfo.InvariantCulture) << limit[^1] switch
        {
            'm' => 20,
            'g' => 30,
            _ => throw new FormatException($"{limit} ends neither in m nor in g."),
        };
}
