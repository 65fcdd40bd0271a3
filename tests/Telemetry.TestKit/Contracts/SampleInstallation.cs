using Telemetry.Model.Installations;

namespace Telemetry.TestKit.Contracts;

/// <summary>Facts of two installations, for tests.</summary>
public static class SampleInstallation
{
    private static readonly Guid Id = new("0f8fad5b-d9cb-469f-a165-70867728950e");
    private static readonly Guid AnotherId = new("7c9e6679-7425-40de-944b-e07fc1f90ae7");

    /// <summary>The first generation of the one that most tests use.</summary>
    public static InstallationFacts Of(int partitions) => new(Id, partitions, 1);

    /// <summary>Another installation.</summary>
    public static InstallationFacts Another(int partitions) => new(AnotherId, partitions, 1);
}
