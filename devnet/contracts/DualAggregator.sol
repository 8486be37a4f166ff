// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {SettableAggregator} from "./SettableAggregator.sol";

/// An aggregator that says of itself what the one behind Chainlink's SVR feeds says. Nothing is auctioned here: every
/// caller gets the newest answer at once, while the real one keeps it from its SVR proxy for some time.
contract DualAggregator is SettableAggregator {
    constructor(uint8 decimals_, string memory description_, int256 answer, address transmitter_)
        SettableAggregator(decimals_, description_, answer, transmitter_)
    {}

    function typeAndVersion() external pure override returns (string memory) {
        return "DualAggregator 1.0.0";
    }
}
