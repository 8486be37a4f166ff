// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {SettableAggregator} from "./SettableAggregator.sol";

/// An aggregator that says of itself what the one behind Chainlink's SVR feeds says. Nothing is auctioned here. The real
/// one tells a new answer by its log, and shows it to its SVR proxy some time later: here, while it withholds.
contract DualAggregator is SettableAggregator {
    constructor(uint8 decimals_, string memory description_, int256 answer, address transmitter_)
        SettableAggregator(decimals_, description_, answer, transmitter_)
    {}

    bool private withholds;

    /// @param whether callers get the round before the latest one
    function withhold(bool whether) external onlyTransmitter {
        withholds = whether;
    }

    function shownRound() internal view override returns (uint256) {
        return withholds ? latestRound - 1 : latestRound;
    }

    function typeAndVersion() external pure override returns (string memory) {
        return "DualAggregator 1.0.0";
    }
}
